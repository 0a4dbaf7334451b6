import { type Generated, type RawBuilder, sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { awaitedAtCommit } from '../../db/prepared-statements.ts';
import type { ClaimAdditions } from '../../pipeline/outcome.ts';
import { type Confirmation, confirmationToText } from '../possession/possession.ts';
import { additionsColumn } from './stored-additions.ts';

declare module '../../db/database.ts' {
  interface Tables {
    token_grants: TokenGrantTable;
    access_tokens: AccessTokenTable;
  }
}

interface TokenGrantTable {
  tenant_id: string;
  grant_id: string;
  client_id: string;
  user_id: string;
  connection_id: string;
  session_id: string | null;
  grant_type: string;
  audience: string | null;
  scope: string;
  auth_time: Date;
  custom_claims: ClaimAdditions | null;
  created_at: Generated<Date>;
  expires_at: Date;
  revoked_at: Date | null;
  joined_user_id: string | null;
}

interface AccessTokenTable {
  tenant_id: string;
  token_hash: string;
  grant_id: string;
  scope: string;
  confirmation: string | null;
  created_at: Generated<Date>;
  expires_at: Date;
}

/** What one login gave to one client; every code and token that comes of it names it. */
export interface TokenGrant {
  readonly grantId: string;
  readonly clientId: string;
  readonly userId: string;
  readonly connectionId: string;
  readonly sessionId: string | undefined;
  /** `code` or `password`: the `gty` of refreshed tokens tells it. */
  readonly grantType: string;
  readonly audience: string | undefined;
  /** Space-separated. */
  readonly scope: string;
  readonly authTime: Date;
  /** What tenant code added to the login. */
  readonly additions?: ClaimAdditions | undefined;
  readonly expiresAt: Date;
  readonly isRevoked: boolean;
}

/** The columns of a grant, where another table's query joins it as `grant`. */
export const GRANT_COLUMNS = [
  'grant.grant_id',
  'grant.client_id',
  'grant.user_id',
  'grant.connection_id',
  'grant.session_id',
  'grant.grant_type',
  'grant.audience',
  'grant.scope',
  'grant.auth_time',
  'grant.custom_claims',
  'grant.expires_at as grant_expires_at',
  'grant.revoked_at',
] as const;

/** The same for a statement in plain SQL, which costs a fifth of a built one: worth it where each request needs it. */
export const grantColumns = sql.raw(GRANT_COLUMNS.map((column) => column.replace('grant.', '"grant".')).join(', '));

export type GrantRow = Omit<TokenGrantTable, 'tenant_id' | 'created_at' | 'expires_at' | 'joined_user_id'> & {
  grant_expires_at: Date;
};

export function grantFromRow(row: GrantRow): TokenGrant {
  return {
    grantId: row.grant_id,
    clientId: row.client_id,
    userId: row.user_id,
    connectionId: row.connection_id,
    sessionId: row.session_id ?? undefined,
    grantType: row.grant_type,
    audience: row.audience ?? undefined,
    scope: row.scope,
    authTime: row.auth_time,
    additions: row.custom_claims ?? undefined,
    expiresAt: row.grant_expires_at,
    isRevoked: row.revoked_at !== null,
  };
}

/** An opaque access token as stored: its text is not. */
export interface NewAccessToken {
  readonly tokenHash: string;
  readonly grantId: string;
  readonly scope: string;
  readonly confirmation: Confirmation | undefined;
  readonly expiresAt: Date;
}

export type NewTokenGrant = Omit<TokenGrant, 'isRevoked'>;
export type TokenGrantStore = ReturnType<typeof createTokenGrantStore>;

export function createTokenGrantStore(db: Database) {
  return {
    async insert(tenantId: string, grant: NewTokenGrant): Promise<void> {
      await sql`${awaitedAtCommit}insert into token_grants (tenant_id, grant_id, client_id, user_id, connection_id,
          session_id, grant_type, audience, scope, auth_time, custom_claims, expires_at)
        values (${tenantId}, ${grant.grantId}, ${grant.clientId}, ${grant.userId}, ${grant.connectionId},
          ${grant.sessionId ?? null}, ${grant.grantType}, ${grant.audience ?? null}, ${grant.scope},
          ${grant.authTime}, ${additionsColumn(grant.additions)}::jsonb, ${grant.expiresAt})`.execute(db);
    },

    /** What was granted of the scope that was asked for: a refresh gives no more (RFC 6749 section 6). */
    async settle(
      tenantId: string,
      grantId: string,
      { scope, expiresAt }: Pick<TokenGrant, 'scope' | 'expiresAt'>,
    ): Promise<void> {
      await db
        .updateTable('token_grants')
        .set({ scope, expires_at: expiresAt })
        .where('tenant_id', '=', tenantId)
        .where('grant_id', '=', grantId)
        .execute();
    },

    /** What tenant code added the last time that it was asked. */
    async setAdditions(tenantId: string, grantId: string, additions: ClaimAdditions): Promise<void> {
      await sql`update token_grants set custom_claims = ${additionsColumn(additions)}::jsonb
        where tenant_id = ${tenantId} and grant_id = ${grantId}`.execute(db);
    },

    /** Keeps the grant as long as the youngest token that came of it. */
    async extend(tenantId: string, grantId: string, expiresAt: Date): Promise<void> {
      await db
        .updateTable('token_grants')
        .set({ expires_at: expiresAt })
        .where('tenant_id', '=', tenantId)
        .where('grant_id', '=', grantId)
        .where('expires_at', '<', expiresAt)
        .execute();
    },

    /** Whether it was not revoked, as this transaction sees it now. */
    async isAlive(tenantId: string, grantId: string): Promise<boolean> {
      const row = await db
        .selectFrom('token_grants')
        .select('grant_id')
        .where('tenant_id', '=', tenantId)
        .where('grant_id', '=', grantId)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return row !== undefined;
    },

    /** Ends everything that came of a grant. False where it had ended already. */
    async revoke(tenantId: string, grantId: string, now: Date): Promise<boolean> {
      const result = await db
        .updateTable('token_grants')
        .set(ended(now))
        .where('tenant_id', '=', tenantId)
        .where('grant_id', '=', grantId)
        .where(mayGoOn)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** The user is about to join another one: what is revoked by that, and has not ended yet. Both are locked. */
    async noteJoined(tenantId: string, userId: string, joinedUserId: string): Promise<void> {
      await sql`update token_grants set joined_user_id = ${joinedUserId}
        where tenant_id = ${tenantId} and user_id = ${userId} and revoked_at is null`.execute(db);
      await sql`update token_grants set joined_user_id = ${joinedUserId}
        where tenant_id = ${tenantId} and joined_user_id = ${userId}`.execute(db);
    },

    /** Makes it the grant of the user whom its own joined. False where it ended for another reason. */
    async handOver(
      tenantId: string,
      { grantId, userId }: Pick<TokenGrant, 'grantId' | 'userId'>,
      joinedUserId: string,
    ): Promise<boolean> {
      const result = await db
        .updateTable('token_grants')
        .set({ user_id: joinedUserId, revoked_at: null, joined_user_id: null })
        .where('tenant_id', '=', tenantId)
        .where('grant_id', '=', grantId)
        .where('user_id', '=', userId)
        .where('joined_user_id', '=', joinedUserId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** Ends all that a user gave to any client: after a password change, a block, a removal from a connection. */
    async revokeOfUser(tenantId: string, userId: string, now: Date): Promise<void> {
      await db
        .updateTable('token_grants')
        .set({ revoked_at: now })
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .execute();
      await sql`update token_grants set joined_user_id = null
        where tenant_id = ${tenantId} and joined_user_id = ${userId}`.execute(db);
    },

    /** Ends all that came of logins with a connection. */
    async revokeOfConnection(tenantId: string, connectionId: string, now: Date): Promise<void> {
      await db
        .updateTable('token_grants')
        .set(ended(now))
        .where('tenant_id', '=', tenantId)
        .where('connection_id', '=', connectionId)
        .where(mayGoOn)
        .execute();
    },

    /** Ends all that came of a session, offline access included. */
    async revokeOfSession(tenantId: string, sessionId: string, now: Date): Promise<void> {
      await db
        .updateTable('token_grants')
        .set(ended(now))
        .where('tenant_id', '=', tenantId)
        .where('session_id', '=', sessionId)
        .where(mayGoOn)
        .execute();
    },

    /** Ends logins that no client has taken up yet: codes that were not redeemed, devices that were let in and did not poll. */
    async revokeUnredeemed(
      tenantId: string,
      which: { readonly userId: string } | { readonly sessionId: string },
      now: Date,
    ): Promise<void> {
      const match = 'userId' in which ? sql`user_id = ${which.userId}` : sql`session_id = ${which.sessionId}`;
      await sql`
        update token_grants set revoked_at = ${now}
        where tenant_id = ${tenantId} and ${match} and revoked_at is null and (
          exists (select from authorization_codes code where code.tenant_id = token_grants.tenant_id
            and code.grant_id = token_grants.grant_id and code.redeemed_at is null)
          or exists (select from device_codes device where device.tenant_id = token_grants.tenant_id
            and device.grant_id = token_grants.grant_id))`.execute(db);
    },

    /** Ends what a user gave to one client at the audiences that a consent was about. */
    async revokeOfConsent(
      tenantId: string,
      { userId, clientId }: Pick<TokenGrant, 'userId' | 'clientId'>,
      isAbout: (audience: string | undefined) => boolean,
      now: Date,
    ): Promise<void> {
      const living = await db
        .selectFrom('token_grants')
        .select(['grant_id', 'audience'])
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .where('client_id', '=', clientId)
        .where('revoked_at', 'is', null)
        .execute();
      const grantIds = living.filter(({ audience }) => isAbout(audience ?? undefined)).map(({ grant_id }) => grant_id);
      await db
        .updateTable('token_grants')
        .set({ revoked_at: now })
        .where('tenant_id', '=', tenantId)
        .where(sql<boolean>`grant_id = any(${grantIds})`)
        .execute();
    },

    async insertAccessToken(tenantId: string, token: NewAccessToken): Promise<void> {
      await sql`${awaitedAtCommit}insert into access_tokens (tenant_id, token_hash, grant_id, scope, confirmation, expires_at)
        values (${tenantId}, ${token.tokenHash}, ${token.grantId}, ${token.scope},
          ${confirmationToText(token.confirmation)}, ${token.expiresAt})`.execute(db);
    },
  };
}

/** It lives, or ended with a user who joined another one, and may be handed over. */
const mayGoOn: RawBuilder<boolean> = sql`(revoked_at is null or joined_user_id is not null)`;

function ended(now: Date) {
  return { revoked_at: sql<Date>`coalesce(revoked_at, ${now})`, joined_user_id: null };
}
