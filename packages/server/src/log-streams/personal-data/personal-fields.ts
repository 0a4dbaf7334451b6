export const PERSONAL_FIELDS = ['first_name', 'last_name', 'username', 'email', 'phone', 'address'] as const;

const plainNames = new Map<string, string>();

export type PersonalField = (typeof PERSONAL_FIELDS)[number];

/** The members that each of them covers; case, `_` and `-` do not count. */
export const COVERED: Readonly<Record<PersonalField, readonly string[]>> = {
  first_name: ['first_name', 'given_name', 'name'],
  last_name: ['last_name', 'family_name', 'name'],
  username: ['username', 'user_name'],
  email: ['email', 'old_email', 'new_email', 'email_address'],
  phone: ['phone', 'phone_number', 'old_phone_number', 'new_phone_number'],
  address: ['address', 'street_address', 'postal_code'],
};

/** A `name` in these is one of a thing: of a program, a page, an error, a piece of code. */
const THINGS = new Set([
  'auth0client',
  'prompts',
  'error',
  'action',
  'actions',
  'rule',
  'hook',
  'script',
  'executions',
  'env',
]);

export function isCovered(fields: ReadonlySet<PersonalField>, key: string, parent: string): boolean {
  const name = plain(key);
  if (name === 'name' && THINGS.has(plain(parent))) return false;
  return COVERING.get(name)?.some((field) => fields.has(field)) ?? false;
}

const COVERING: ReadonlyMap<string, readonly PersonalField[]> = new Map(
  [...new Set(Object.values(COVERED).flat().map(plain))].map((name) => [
    name,
    PERSONAL_FIELDS.filter((field) => COVERED[field].some((covered) => plain(covered) === name)),
  ]),
);

function plain(key: string): string {
  const known = plainNames.get(key);
  if (known !== undefined) return known;
  const name = key.toLowerCase().replace(/[_-]/g, '');
  // Keys come from requests: what is remembered is bounded.
  if (plainNames.size < 2_000 && key.length < 64) plainNames.set(key, name);
  return name;
}
