import { type Generated, sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { createGatherer } from '../../db/gather.ts';
import type { Requester } from '../../logs/event.ts';
import { type Confirmation, confirmationFromText, confirmationToText } from '../possession/possession.ts';
import { type GrantRow, grantColumns, grantFromRow, type TokenGrant } from '../tokens/token-grant-store.ts';
import type { MetadataWishes } from './refresh-token.ts';
import { withWishes } from './with-wishes.ts';

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
  /** When the first of its family was made. */
  readonly createdAt: Date;
  readonly grant: TokenGrant;
}

type PresentedRow = GrantRow &
  Pick<
    RefreshTokenTable,
    'token_hash' | 'token_id' | 'rotating' | 'idle_expires_at' | 'rotated_at' | 'confirmation'
  > & {
    token_expires_at: Date | null;
    token_created_at: Date;
  };

/** Who asked for a token, or used it. */
export type TokenUse = Pick<Requester, 'ip' | 'userAgent'>;

/** What a presented token and its grant are read with: tables `token` and `"grant"`. */
const presentedColumns = sql`token.token_hash, token.token_id, token.rotating, token.idle_expires_at, token.rotated_at,
  token.confirmation, token.expires_at as token_expires_at, token.created_at as token_created_at, ${grantColumns}`;

export type RefreshTokenStore = ReturnType<typeof createRefreshTokenStore>;

export function createRefreshTokenStore(db: Database) {
  return {
    async insert(tenantId: string, token: RefreshToken, use?: TokenUse, metadata?: MetadataWishes): Promise<void> {
      const device = { initial_ip: use?.ip, initial_user_agent: use?.userAgent, ...lastOf(use) };
      await db
        .insertInto('refresh_tokens')
        .values({
          ...toRow(tenantId, token),
          device: sql`${JSON.stringify(device)}::jsonb`,
          ...(metadata && { metadata: sql`${JSON.stringify(metadata.set)}::jsonb` }),
        })
        .execute();
    },

    async find(tenantId: string, tokenHash: string): Promise<PresentedRefreshToken | undefined> {
      const { rows } = await sql<PresentedRow>`
        select ${presentedColumns}
        from refresh_tokens token
          join token_grants "grant" on "grant".tenant_id = token.tenant_id and "grant".grant_id = token.grant_id
        where token.tenant_id = ${tenantId} and token.token_hash = ${tokenHash}`.execute(db);
      return rows[0] && fromRow(rows[0]);
    },

    /** Moves the idle expiry of a token that does not rotate, and the other one where it is given. */
    async touch(
      tenantId: string,
      tokenHash: string,
      now: Date,
      { expiresAt, idleExpiresAt }: Pick<RefreshToken, 'idleExpiresAt'> & { readonly expiresAt?: Date | undefined },
      use?: TokenUse,
      metadata?: MetadataWishes,
    ): Promise<void> {
      await db
        .updateTable('refresh_tokens')
        .set({
          last_used_at: now,
          idle_expires_at: idleExpiresAt ?? null,
          ...(expiresAt && { expires_at: expiresAt }),
          device: sql`device || ${JSON.stringify(lastOf(use))}::jsonb`,
          ...(metadata && {
            metadata: withWishes(sql`metadata`, sql`${JSON.stringify(metadata)}::jsonb`),
          }),
        })
        .where('tenant_id', '=', tenantId)
        .where('token_hash', '=', tokenHash)
        .execute();
    },
  };
}

/** Finds presented tokens, those that come at once in one statement. For the pool, not for a transaction. */
export function createRefreshTokenFinder(db: Database): RefreshTokenStore['find'] {
  const find = createGatherer<{ tenantId: string; tokenHash: string }, PresentedRefreshToken>({
    textOf: ({ tenantId, tokenHash }) => `${tenantId} ${tokenHash}`,
    async ask(keys) {
      const { rows } = await sql<PresentedRow & { tenant_id: string }>`
        select token.tenant_id, ${presentedColumns}
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ tokenHash }) => tokenHash)}::text[]) asked(tenant_id, token_hash)
          cross join lateral (select * from refresh_tokens
            where tenant_id = asked.tenant_id and token_hash = asked.token_hash limit 1) token
          cross join lateral (select * from token_grants
            where tenant_id = token.tenant_id and grant_id = token.grant_id limit 1) "grant"`.execute(db);
      return new Map(rows.map((row) => [`${row.tenant_id} ${row.token_hash}`, fromRow(row)]));
    },
  });
  return (tenantId, tokenHash) => find({ tenantId, tokenHash });
}

function fromRow(row: PresentedRow): PresentedRefreshToken {
  return {
    tokenHash: row.token_hash,
    tokenId: row.token_id,
    grantId: row.grant_id,
    rotating: row.rotating,
    idleExpiresAt: row.idle_expires_at ?? undefined,
    expiresAt: row.token_expires_at ?? undefined,
    rotatedAt: row.rotated_at ?? undefined,
    createdAt: row.token_created_at,
    confirmation: confirmationFromText(row.confirmation),
    grant: grantFromRow(row),
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
