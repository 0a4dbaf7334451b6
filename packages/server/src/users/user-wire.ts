import type { NewDatabaseUser } from './create-user.ts';
import { type Identity, type Metadata, type User, userErrors } from './user.ts';

/** A user as the Management API shows it. Empty metadata and what never happened are left out, as Auth0 does. */
export function toWire(user: User): Record<string, unknown> {
  return withoutUndefined({
    ...user.profile,
    created_at: user.createdAt.toISOString(),
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified,
    phone_number: user.phoneNumber,
    phone_verified: user.phoneNumber === undefined ? undefined : user.phoneVerified,
    username: user.username,
    given_name: user.givenName,
    family_name: user.familyName,
    identities: user.identities.map(identityToWire),
    name: user.name,
    nickname: user.nickname,
    picture: user.picture,
    updated_at: user.updatedAt.toISOString(),
    user_id: user.userId,
    user_metadata: unlessEmpty(user.userMetadata),
    app_metadata: unlessEmpty(user.appMetadata),
    blocked: user.blocked,
    last_ip: user.lastIp,
    last_login: user.lastLogin?.toISOString(),
    last_password_reset: (user.reportedPasswordReset ?? user.lastPasswordReset)?.toISOString(),
    logins_count: user.loginsCount === 0 ? undefined : user.loginsCount,
  });
}

export function identityToWire(identity: Identity): Record<string, unknown> {
  return withoutUndefined({
    connection: identity.connection,
    user_id: identity.userId,
    provider: identity.provider,
    isSocial: identity.isSocial,
    profileData: unlessEmpty(identity.profileData),
  });
}

type Body = Readonly<Record<string, unknown>>;

/** What POST /users says of the new user. */
export function newUserOf(body: Body): NewDatabaseUser {
  return withoutUndefined({
    email: textOf(body, 'email'),
    emailVerified: flagOf(body, 'email_verified'),
    username: textOf(body, 'username'),
    phoneNumber: textOf(body, 'phone_number'),
    phoneVerified: flagOf(body, 'phone_verified'),
    name: textOf(body, 'name'),
    nickname: textOf(body, 'nickname'),
    givenName: textOf(body, 'given_name'),
    familyName: textOf(body, 'family_name'),
    picture: textOf(body, 'picture'),
    blocked: flagOf(body, 'blocked'),
    userMetadata: metadataOf(body, 'user_metadata'),
    appMetadata: metadataOf(body, 'app_metadata'),
    userId: textOf(body, 'user_id'),
  });
}

/** A change of a user. A member that is there and undefined removes the value. */
export interface UserChange {
  readonly connection?: string;
  readonly password?: string;
  readonly email?: string | undefined;
  readonly emailVerified?: boolean;
  readonly username?: string | undefined;
  readonly phoneNumber?: string | undefined;
  readonly phoneVerified?: boolean;
  readonly blocked?: boolean;
  readonly texts: Partial<Record<'name' | 'nickname' | 'givenName' | 'familyName' | 'picture', string | undefined>>;
  readonly userMetadata?: Metadata;
  readonly appMetadata?: Metadata;
  /** Rules, hooks or actions ask for it: metadata have a bound of their own. */
  readonly isByCode?: boolean;
}

const NOT_TOGETHER = [
  ['password', 'email'],
  ['password', 'email_verified'],
  ['username', 'password'],
  ['username', 'email_verified'],
] as const;

const CHANGEABLE = new Set(
  'blocked email_verified email phone_number phone_verified user_metadata app_metadata given_name family_name name nickname picture verify_email verify_phone_number verify_password password connection client_id username'.split(
    ' ',
  ),
);

export function changeOf(body: Body): UserChange {
  const unknown = Object.keys(body).filter((name) => !CHANGEABLE.has(name));
  if (unknown.length > 0) throw userErrors.unknownProperties({ names: unknown.join(',').slice(0, 200) });
  if (Object.keys(body).length === 0) throw userErrors.invalid({ reason: 'Too few properties defined (0), minimum 1' });
  for (const [one, other] of NOT_TOGETHER) {
    if (isGiven(body, one) && isGiven(body, other)) throw userErrors.notTogether({ one, other });
  }
  return withoutUndefined(
    {
      connection: textOf(body, 'connection'),
      password: textOf(body, 'password'),
      emailVerified: flagOf(body, 'email_verified'),
      phoneVerified: flagOf(body, 'phone_verified'),
      blocked: flagOf(body, 'blocked'),
      userMetadata: metadataOf(body, 'user_metadata'),
      appMetadata: metadataOf(body, 'app_metadata'),
      texts: {
        ...removable(body, 'name', 'name'),
        ...removable(body, 'nickname', 'nickname'),
        ...removable(body, 'given_name', 'givenName'),
        ...removable(body, 'family_name', 'familyName'),
        ...removable(body, 'picture', 'picture'),
      },
    },
    {
      ...removable(body, 'email', 'email'),
      ...removable(body, 'username', 'username'),
      ...removable(body, 'phone_number', 'phoneNumber'),
    },
  );
}

function isGiven(body: Body, name: string): boolean {
  return body[name] !== undefined && body[name] !== null;
}

function removable<Name extends string>(
  body: Body,
  wireName: string,
  name: Name,
): Partial<Record<Name, string | undefined>> {
  const entry: Partial<Record<Name, string | undefined>> = {};
  if (body[wireName] !== undefined) entry[name] = textOf(body, wireName);
  return entry;
}

function textOf(body: Body, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}

function flagOf(body: Body, name: string): boolean | undefined {
  const value = body[name];
  return typeof value === 'boolean' ? value : undefined;
}

function metadataOf(body: Body, name: string): Metadata | undefined {
  const value = body[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function unlessEmpty(metadata: Metadata): Metadata | undefined {
  return Object.keys(metadata).length === 0 ? undefined : metadata;
}

type Defined<Members> = { [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name] } & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<Members[Name], undefined>;
};

function withoutUndefined<Members extends object, More extends object = object>(
  members: Members,
  more?: More,
): Defined<Members> & More {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(kept), ...more } as Defined<Members> & More;
}
