import { defineErrors } from '../kit/errors.ts';

/** One person in a tenant. Where the person comes from stands in `identities`, the first of which names the user. */
export interface User {
  /** `auth0|` and 24 hexadecimal digits, unless the creator chose the part behind the bar. */
  readonly userId: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly phoneNumber: string | undefined;
  readonly phoneVerified: boolean;
  readonly username: string | undefined;
  readonly name: string | undefined;
  readonly nickname: string | undefined;
  readonly givenName: string | undefined;
  readonly familyName: string | undefined;
  readonly picture: string | undefined;
  /** Claims that have no field of their own (address, locale, birthdate …), as on the wire. */
  readonly profile: Metadata;
  readonly blocked: boolean;
  readonly userMetadata: Metadata;
  readonly appMetadata: Metadata;
  readonly identities: readonly Identity[];
  readonly loginsCount: number;
  readonly lastLogin: Date | undefined;
  readonly lastIp: string | undefined;
  /** When the password became another one, by our clock: what was issued before counts no more. */
  readonly lastPasswordReset: Date | undefined;
  /** When it did so elsewhere, as a script says: shown in place of ours. */
  readonly reportedPasswordReset: Date | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** An administrator, of the reserved connection: the Management API does not know this user. */
  readonly isSystem: boolean;
}

/** What one connection knows of a user. */
export interface Identity {
  readonly connection: string;
  readonly connectionId: string;
  readonly provider: string;
  /** Without the provider: the 24 digits. */
  readonly userId: string;
  readonly isSocial: boolean;
  readonly profileData: Metadata;
}

export type Metadata = Readonly<Record<string, unknown>>;

export const userErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_user', message: 'The user does not exist.' },
  alreadyExists: { status: 409, code: 'auth0_idp_error', message: 'The user already exists.' },
  usernameTaken: { status: 409, code: 'auth0_idp_error', message: 'The username already exists.' },
  unknownConnection: { status: 400, code: 'inexistent_connection', message: 'The connection does not exist.' },
  notADirectory: {
    status: 400,
    code: 'operation_not_supported',
    message:
      "The connection '{connection}' does not support user creation through the API. It must be a database connection.",
  },
  missing: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Missing required property: {property}'.",
  },
  missingUsername: {
    status: 400,
    code: 'invalid_body',
    message: 'missing username for {connection} connection with requires_username enabled',
  },
  usernameNotAllowed: {
    status: 400,
    code: 'invalid_body',
    message: 'Cannot set username for connection without requires_username',
  },
  invalid: { status: 400, code: 'invalid_body', message: "Payload validation error: '{reason}'." },
  unknownProperties: {
    status: 400,
    code: 'invalid_body',
    message:
      'Payload validation error: \'Additional properties not allowed: {names} (consider storing them in app_metadata or user_metadata. See "Users Metadata" in https://auth0.com/docs/api/v2/changes for more details)\'.',
  },
  notTogether: { status: 400, code: 'invalid_body', message: 'Cannot update {one} and {other} simultaneously' },
  linkedAlready: {
    status: 409,
    code: 'identity_conflict',
    message: 'Specified identity already belongs to another user.',
  },
  mainIdentity: {
    status: 400,
    code: 'operation_not_supported',
    message: 'The main identity of a user can not be unlinked.',
  },
  identityNotFound: { status: 404, code: 'inexistent_identity', message: 'The user has no such identity.' },
  invalidLinkToken: {
    status: 400,
    code: 'invalid_body',
    message: 'link_with is no ID token of this tenant for this client, or has expired.',
  },
  connectionNeeded: {
    status: 400,
    code: 'invalid_body',
    message: 'The user has several identities: name the connection to update.',
  },
  invalidQuery: { status: 400, code: 'invalid_query_string', message: '{reason}' },
  searchTimeout: {
    status: 503,
    code: 'query_timeout',
    message: 'The query exceeded the timeout. Please try refining your search criteria.',
  },
});

/** What a person is called in the log: the identifier that they know. */
export function userNameOf({ email, username, userId }: Pick<User, 'email' | 'username' | 'userId'>): string {
  return email ?? username ?? userId;
}

/** The user, unless it is an administrator, whom the Management API does not know. */
export function ordinaryUser(user: User | undefined): User {
  if (!user || user.isSystem) throw userErrors.notFound();
  return user;
}
