import { defineErrors } from '../kit/errors.ts';

/** Where identities come from; here: a directory of users with passwords (strategy auth0). */
export interface Connection {
  /** `con_` and 16 characters. */
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  /** The reserved directory of administrators: the Management API neither lists nor reaches it. */
  readonly isSystem: boolean;
  readonly displayName: string | undefined;
  /** As on the wire: the catalogue knows its fields, and replaces it whole. */
  readonly options: ConnectionOptions;
  readonly realms: readonly string[];
  readonly isDomainConnection: boolean;
  readonly showAsButton: boolean | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly enabledClients: readonly string[];
  /** Fields of the catalogue that only other strategies use (authentication, connected_accounts …), as on the wire. */
  readonly otherFields: Readonly<Record<string, unknown>>;
}

export type ConnectionOptions = Readonly<Record<string, unknown>>;

export const connectionErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_connection', message: 'The connection does not exist' },
  nameTaken: { status: 409, code: 'connection_conflict', message: 'A connection with the same name already exists' },
  realmTaken: { status: 409, code: 'connection_conflict', message: 'A connection with the same realm already exists' },
  strategyNotSupported: {
    status: 400,
    code: 'operation_not_supported',
    message: "Connections of strategy '{strategy}' are not supported yet; 'auth0' is.",
  },
  reservedName: { status: 400, code: 'invalid_body', message: "The connection name '{name}' is reserved." },
  unknownClient: { status: 404, code: 'inexistent_client', message: 'The client does not exist' },
  invalid: { status: 400, code: 'invalid_body', message: '{reason}' },
});

/** The reserved directory whose users administer this installation (product.md section 4). */
export const ADMIN_CONNECTION = 'gatewright-admins';

export type Identifier = 'email' | 'username' | 'phone';

/** By what a user of this directory logs in: `attributes` where it is set, else e-mail and, if required, username. */
export function identifiersOf({ options }: Pick<Connection, 'options'>): ReadonlySet<Identifier> {
  const attributes = member(options, 'attributes');
  if (!attributes) return new Set(options.requires_username === true ? ['email', 'username'] : ['email']);
  const identifiers = new Set<Identifier>();
  const isActive = (attribute: Members | undefined, unlessSet: boolean) =>
    attribute !== undefined && (member(attribute, 'identifier')?.active ?? unlessSet) === true;
  if (isActive(member(attributes, 'email'), true)) identifiers.add('email');
  if (isActive(member(attributes, 'username'), false)) identifiers.add('username');
  if (isActive(member(attributes, 'phone_number'), false)) identifiers.add('phone');
  return identifiers;
}

/** What a new user must have, and may have, besides a password. */
export function attributesOf(connection: Pick<Connection, 'options'>): {
  readonly required: ReadonlySet<Identifier>;
  readonly allowed: ReadonlySet<Identifier>;
} {
  const attributes = member(connection.options, 'attributes');
  if (!attributes) {
    const identifiers = identifiersOf(connection);
    return { required: identifiers, allowed: new Set([...identifiers, 'phone']) };
  }
  const required = new Set<Identifier>();
  const allowed = new Set<Identifier>();
  for (const [name, identifier] of [
    ['email', 'email'],
    ['username', 'username'],
    ['phone_number', 'phone'],
  ] as const) {
    const attribute = member(attributes, name);
    if (!attribute) continue;
    allowed.add(identifier);
    const status = member(attribute, 'signup')?.status;
    if (status === 'required' || attribute.profile_required === true) required.add(identifier);
  }
  return { required, allowed };
}

/** Length of a username, 1 to 15 characters unless the connection says otherwise. */
export function usernameBounds({ options }: Pick<Connection, 'options'>): { min: number; max: number } {
  const flexible = member(member(member(options, 'attributes'), 'username'), 'validation');
  const plain = member(member(options, 'validation'), 'username');
  const min = flexible?.min_length ?? plain?.min;
  const max = flexible?.max_length ?? plain?.max;
  return { min: typeof min === 'number' ? min : 1, max: typeof max === 'number' ? Math.min(max, 128) : 15 };
}

/** Whether users of this connection may log in to a client: it is enabled for it, or (strangers' applications) for the whole domain. */
export function isOpenTo(
  {
    enabledClients,
    isDomainConnection,
    isSystem,
  }: Pick<Connection, 'enabledClients' | 'isDomainConnection' | 'isSystem'>,
  { clientId, isFirstParty }: { readonly clientId: string; readonly isFirstParty: boolean },
): boolean {
  return enabledClients.includes(clientId) || (!isFirstParty && isDomainConnection && !isSystem);
}

/** Whether strangers may make themselves an account here. */
export function isSignupOpen(connection: Pick<Connection, 'options' | 'isSystem'>): boolean {
  return !connection.isSystem && connection.options.disable_signup !== true;
}

/** Whether users may ask for a link to change their password. */
export function isPasswordResetOpen(connection: Pick<Connection, 'options' | 'isSystem'>): boolean {
  return !connection.isSystem && connection.options.disable_self_service_change_password !== true;
}

/** What the pages ask for to find a user. */
export function identifierKindOf(connection: Pick<Connection, 'options'>): 'email' | 'username' | 'username-or-email' {
  const identifiers = identifiersOf(connection);
  if (!identifiers.has('username')) return 'email';
  return identifiers.has('email') ? 'username-or-email' : 'username';
}

export type Members = Readonly<Record<string, unknown>>;

/** A member that is an object itself; options come from clients, and old ones may have any shape. */
export function member(container: unknown, name: string): Members | undefined {
  if (!isMembers(container) || !Object.hasOwn(container, name)) return undefined;
  const value = container[name];
  return isMembers(value) ? value : undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
