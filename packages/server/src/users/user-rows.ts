import { type Generated, type JSONColumnType, type RawBuilder, sql } from 'kysely';
import type { Identity, Metadata, User } from './user.ts';

declare module '../db/database.ts' {
  interface Tables {
    users: UserTable;
    user_identities: IdentityTable;
  }
}

interface UserTable {
  tenant_id: string;
  user_id: string;
  seq: Generated<string>;
  email: string | null;
  email_verified: boolean;
  phone_number: string | null;
  phone_verified: boolean;
  username: string | null;
  blocked: boolean;
  profile: JSONColumnType<Metadata>;
  user_metadata: JSONColumnType<Metadata>;
  app_metadata: JSONColumnType<Metadata>;
  logins_count: Generated<string>;
  last_login: Date | null;
  last_ip: string | null;
  last_password_reset: Date | null;
  reported_password_reset: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  is_system: Generated<boolean>;
}

interface IdentityTable {
  tenant_id: string;
  provider: string;
  identity_user_id: string;
  user_id: string;
  connection_id: string;
  position: Generated<number>;
  email_key: string | null;
  username_key: string | null;
  phone_key: string | null;
  password_hash: string | null;
  changing_until: Date | null;
  idp_tokens: Buffer | null;
  user_unproved: Generated<boolean>;
  address_unproved: Generated<boolean>;
  profile: JSONColumnType<Metadata>;
}

/** What `userColumns` selects. */
export interface UserRow {
  user_id: string;
  seq: string;
  email: string | null;
  email_verified: boolean;
  phone_number: string | null;
  phone_verified: boolean;
  username: string | null;
  blocked: boolean;
  profile: Metadata;
  user_metadata: Metadata;
  app_metadata: Metadata;
  logins_count: string;
  last_login: Date | null;
  last_ip: string | null;
  last_password_reset: Date | null;
  reported_password_reset: Date | null;
  created_at: Date;
  updated_at: Date;
  is_system: boolean;
  identities: readonly IdentityRow[];
}

interface IdentityRow extends Omit<Identity, 'isSocial'> {
  readonly strategy: string;
}

/** Columns of a user, alias `u`, with the identities as one JSON list: a user is one row of one query. */
export const userColumns: RawBuilder<UserRow> = sql`
  u.user_id, u.seq, u.email, u.email_verified, u.phone_number, u.phone_verified, u.username, u.blocked, u.profile,
  u.user_metadata, u.app_metadata, u.logins_count, u.last_login, u.last_ip, u.last_password_reset, u.reported_password_reset, u.created_at, u.updated_at, u.is_system,
  (select coalesce(jsonb_agg(jsonb_build_object('connection', c.name, 'connectionId', c.id, 'provider', i.provider,
      'userId', i.identity_user_id, 'strategy', c.strategy, 'profileData', i.profile) order by i.position), '[]')
    from user_identities i join connections c on c.tenant_id = i.tenant_id and c.id = i.connection_id
    where i.tenant_id = u.tenant_id and i.user_id = u.user_id) as identities`;

/** True for users, alias `u`, that the Management API may see. */
export const isOrdinary: RawBuilder<boolean> = sql`not u.is_system`;

export function fromRow(row: UserRow): User {
  const { name, nickname, given_name, family_name, picture, ...profile } = row.profile;
  return {
    userId: row.user_id,
    email: row.email ?? undefined,
    emailVerified: row.email_verified,
    phoneNumber: row.phone_number ?? undefined,
    phoneVerified: row.phone_verified,
    username: row.username ?? undefined,
    name: text(name),
    nickname: text(nickname),
    givenName: text(given_name),
    familyName: text(family_name),
    picture: text(picture),
    profile,
    blocked: row.blocked,
    userMetadata: row.user_metadata,
    appMetadata: row.app_metadata,
    identities: row.identities.map(({ strategy, ...identity }) => ({
      ...identity,
      isSocial: !NOT_SOCIAL.has(strategy),
    })),
    loginsCount: Number(row.logins_count),
    lastLogin: row.last_login ?? undefined,
    lastIp: row.last_ip ?? undefined,
    lastPasswordReset: row.last_password_reset ?? undefined,
    reportedPasswordReset: row.reported_password_reset ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    isSystem: row.is_system,
  };
}

/** The `profile` column: what has no column of its own. JSON leaves out what is undefined. */
export function profileColumn(
  user: Pick<User, 'name' | 'nickname' | 'givenName' | 'familyName' | 'picture' | 'profile'>,
): string {
  return JSON.stringify({
    ...user.profile,
    name: user.name,
    nickname: user.nickname,
    given_name: user.givenName,
    family_name: user.familyName,
    picture: user.picture,
  });
}

const NOT_SOCIAL = new Set(['auth0', 'email', 'sms']);

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
