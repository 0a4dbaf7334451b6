/** The part of a database connection's options that rules its passwords (ConnectionOptionsAuth0 of the catalogue). */
export interface PasswordOptions {
  readonly passwordPolicy?: PasswordPolicyName | null;
  readonly password_complexity_options?: { readonly min_length?: number } | null;
  readonly password_dictionary?: { readonly enable: boolean; readonly dictionary?: readonly string[] } | null;
  readonly password_no_personal_info?: { readonly enable: boolean } | null;
  readonly password_history?: { readonly enable: boolean; readonly size?: number } | null;
  /** The newer, finer form. Where it is set, the options above count for nothing. */
  readonly password_options?: FlexiblePasswordOptions | null;
}

export type PasswordPolicyName = 'none' | 'low' | 'fair' | 'good' | 'excellent';
export type CharacterType = 'lowercase' | 'uppercase' | 'number' | 'special';

export interface FlexiblePasswordOptions {
  readonly complexity?: {
    readonly min_length?: number;
    readonly character_types?: readonly CharacterType[];
    readonly character_type_rule?: 'all' | 'three_of_four';
    readonly identical_characters?: 'allow' | 'block';
    readonly sequential_characters?: 'allow' | 'block';
    readonly max_length_exceeded?: 'truncate' | 'error';
  };
  readonly dictionary?: {
    readonly active?: boolean;
    readonly custom?: readonly string[];
    readonly default?: 'en_10k' | 'en_100k';
  };
  readonly history?: { readonly active?: boolean; readonly size?: number };
  readonly profile_data?: { readonly active?: boolean; readonly blocked_fields?: readonly string[] };
}

/** Both forms, brought to one. */
export interface PasswordRequirements {
  readonly minLength: number;
  readonly characterTypes: readonly CharacterType[];
  /** How many of these types a password must show. */
  readonly typesNeeded: number;
  readonly maxIdentical?: number;
  readonly maxSequential?: number;
  readonly maxBytes?: number;
  readonly dictionary?: { readonly custom: readonly string[] };
  readonly personalFields: readonly string[];
  /** How many former passwords may not come back; 0 turns it off. */
  readonly historySize: number;
}

type Strength = Pick<PasswordRequirements, 'minLength' | 'characterTypes' | 'typesNeeded' | 'maxIdentical'>;

const ALL_TYPES: readonly CharacterType[] = ['lowercase', 'uppercase', 'number', 'special'];

const POLICIES: Record<PasswordPolicyName, Strength> = {
  none: { minLength: 1, characterTypes: [], typesNeeded: 0 },
  low: { minLength: 6, characterTypes: [], typesNeeded: 0 },
  fair: { minLength: 8, characterTypes: ['lowercase', 'uppercase', 'number'], typesNeeded: 3 },
  good: { minLength: 8, characterTypes: ALL_TYPES, typesNeeded: 3 },
  excellent: { minLength: 10, characterTypes: ALL_TYPES, typesNeeded: 3, maxIdentical: 2 },
};

/** What Auth0 compares where `password_no_personal_info` is on, or where no `blocked_fields` are named. */
const PERSONAL_FIELDS = [
  'name',
  'username',
  'nickname',
  'user_metadata.name',
  'user_metadata.first',
  'user_metadata.last',
  'email',
];
const MAX_HISTORY = 24;
/** bcrypt's limit, which Auth0 reports or cuts at; our own hashes read everything, so `truncate` means "accept" here. */
const AUTH0_MAX_BYTES = 72;

export function passwordRequirements(options: PasswordOptions): PasswordRequirements {
  return options.password_options ? flexible(options.password_options) : classic(options);
}

function classic(options: PasswordOptions): PasswordRequirements {
  const strength = POLICIES[options.passwordPolicy ?? 'none'];
  const { password_dictionary: dictionary, password_history: history } = options;
  return {
    ...strength,
    // min_length replaces the policy's length; it may be shorter too.
    minLength: options.password_complexity_options?.min_length ?? strength.minLength,
    ...(dictionary?.enable && { dictionary: { custom: dictionary.dictionary ?? [] } }),
    personalFields: options.password_no_personal_info?.enable ? PERSONAL_FIELDS : [],
    historySize: history?.enable ? Math.min(history.size ?? MAX_HISTORY, MAX_HISTORY) : 0,
  };
}

function flexible({
  complexity = {},
  dictionary,
  history,
  profile_data: profile,
}: FlexiblePasswordOptions): PasswordRequirements {
  // Named in the order in which Auth0 lists them, each once.
  const types = ALL_TYPES.filter((type) => complexity.character_types?.includes(type));
  return {
    minLength: complexity.min_length ?? 1,
    characterTypes: types,
    typesNeeded: complexity.character_type_rule === 'three_of_four' ? Math.min(3, types.length) : types.length,
    ...(complexity.identical_characters === 'block' && { maxIdentical: 2 }),
    ...(complexity.sequential_characters === 'block' && { maxSequential: 2 }),
    ...(complexity.max_length_exceeded === 'error' && { maxBytes: AUTH0_MAX_BYTES }),
    ...(dictionary?.active && { dictionary: { custom: dictionary.custom ?? [] } }),
    personalFields: profile?.active ? (profile.blocked_fields ?? PERSONAL_FIELDS) : [],
    historySize: history?.active ? Math.min(history.size ?? MAX_HISTORY, MAX_HISTORY) : 0,
  };
}
