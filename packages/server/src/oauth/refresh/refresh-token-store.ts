import { type Generated, sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { Requester } from '../../logs/event.ts';
import { type Confirmation, confirmationFromText, confirmationToText } from '../possession/possession.ts';
import { type GrantRow, grantColumns, grantFromRow, type TokenGrant } from '../tokens/token-grant-store.ts';

declare module '../../db/database.ts' {
  interface Tables {
    refresh_tokens: RefreshTokenTable;
  }
}

interface RefreshTokenTable {
  tenant_id: string;
  token_hash: string;
  token_id: string;
  grant_id: string;
  rotating: boolean;
  created_at: Generated<Date>;
  idle_expires_at: Date | null;
  expires_at: Date | null;
  rotated_at: Date | null;
  last_used_at: Date | null;
  confirmation: string | null;
  device: Generated<Record<string, unknown>>;
  metadata: Generated<Record<string, unknown>>;
}

/** A refresh token as stored: its text is not. Undefined expiries mean that it does not expire that way. */
export interface RefreshToken {
  readonly tokenHash: string;
  /** Public name, as in the Management API's refresh-tokens; successors keep it. */
  readonly tokenId: string;
  readonly grantId: string;
  readonly rotating: boolean;
  readonly idleExpiresAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  /** The key that a public client must hold to use it (RFC 9449 section 5). */
  readonly confirmation: Confirmation | undefined;
}

export interface PresentedRefreshToken extends RefreshToken {
  readonly rotatedAt: Date | undefined;
  readonly grant: TokenGrant;
}

type PresentedRow = GrantRow &
  Pick<
    RefreshTokenTable,
    'token_hash' | 'token_id' | 'rotating' | 'idle_expires_at' | 'rotated_at' | 'confirmation'
  > & {
    token_expires_at: Date | null;
  };

/** Who asked for a token, or used it. */
export type TokenUse = Pick<Requester, 'ip' | 'userAgent'>;

export type RefreshTokenStore = ReturnType<typeof createRefreshTokenStore>;

export function createRefreshTokenStore(db: Database) {
  return {
    async insert(tenantId: string, token: RefreshToken, use?: TokenUse): Promise<void> {
      const device = { initial_ip: use?.ip, initial_user_agent: use?.userAgent, ...lastOf(use) };
      await db
        .insertInto('refresh_tokens')
        .values({ ...toRow(tenantId, token), device: sql`${JSON.stringify(device)}::jsonb` })
        .execute();
    },

    async find(tenantId: string, tokenHash: string): Promise<PresentedRefreshToken | undefined> {
      const { rows } = await sql<PresentedRow>`
        select token.token_hash, token.token_id, token.rotating, token.idle_expires_at, token.rotated_at, token.confirmation,
          token.expires_at as token_expires_at, ${grantColumns}
        from refresh_tokens token
          join token_grants "grant" on "grant".tenant_id = token.tenant_id and "grant".grant_id = token.grant_id
        where token.tenant_id = ${tenantId} and token.token_hash = ${tokenHash}`.execute(db);
      const [row] = rows;
      if (!row) return undefined;
      return {
        tokenHash: row.token_hash,
        tokenId: row.token_id,
        grantId: row.grant_id,
        rotating: row.rotating,
        idleExpiresAt: row.idle_expires_at ?? undefined,
        expiresAt: row.token_expires_at ?? undefined,
        rotatedAt: row.rotated_at ?? undefined,
        confirmation: confirmationFromText(row.confirmation),
        grant: grantFromRow(row),
      };
    },

    /**
     * Marks a token as rotated and stores its successor, in one statement. Of parallel callers one gets true: the others
     * wait for its commit and then see that the row no longer matches.
     */
    async rotate(
      tenantId: string,
      tokenHash: string,
      successor: RefreshToken,
      now: Date,
      use?: TokenUse,
    ): Promise<boolean> {
      const next = toRow(tenantId, successor);
      const result = await sql`
        with rotated as (
          update refresh_tokens set rotated_at = ${now}, last_used_at = ${now}
          where tenant_id = ${tenantId} and token_hash = ${tokenHash} and rotated_at is null
          returning tenant_id, token_id, created_at, device, metadata
        )
        insert into refresh_tokens (tenant_id, token_hash, token_id, grant_id, rotating, idle_expires_at, expires_at,
          confirmation, created_at, last_used_at, device, metadata)
        select tenant_id, ${next.token_hash}, token_id, ${next.grant_id}, ${next.rotating}::boolean,
          ${next.idle_expires_at}::timestamptz, ${next.expires_at}::timestamptz, ${next.confirmation}, created_at,
          ${now}::timestamptz, device || ${JSON.stringify(lastOf(use))}::jsonb, metadata
        from rotated`.execute(db);
      return result.numAffectedRows === 1n;
    },

    /** Moves the idle expiry of a token that does not rotate. */
    async touch(
      tenantId: string,
      tokenHash: string,
      now: Date,
      idleExpiresAt: Date | undefined,
      use?: TokenUse,
    ): Promise<void> {
      await db
        .updateTable('refresh_tokens')
        .set({
          last_used_at: now,
          idle_expires_at: idleExpiresAt ?? null,
          device: sql`device || ${JSON.stringify(lastOf(use))}::jsonb`,
        })
        .where('tenant_id', '=', tenantId)
        .where('token_hash', '=', tokenHash)
        .execute();
    },
  };
}

function lastOf(use: TokenUse | undefined): Record<string, unknown> {
  return { last_ip: use?.ip, last_user_agent: use?.userAgent };
}

function toRow(tenantId: string, token: RefreshToken) {
  return {
    tenant_id: tenantId,
    token_hash: token.tokenHash,
    token_id: token.tokenId,
    grant_id: token.grantId,
    rotating: token.rotating,
    idle_expires_at: token.idleExpiresAt ?? null,
    expires_at: token.expiresAt ?? null,
    rotated_at: null,
    last_used_at: null,
    confirmation: confirmationToText(token.confirmation),
  };
}
