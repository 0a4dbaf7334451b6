import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../db/database.ts';

/** A living refresh token, or the family of a rotating one, as the Management API shows it. */
export interface ListedRefreshToken {
  readonly tokenId: string;
  readonly userId: string;
  readonly clientId: string;
  readonly sessionId: string | undefined;
  readonly rotating: boolean;
  readonly audience: string | undefined;
  readonly scope: string;
  readonly createdAt: Date;
  readonly idleExpiresAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  readonly device: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Which tokens are meant; all that is given must hold. */
export interface RefreshTokenFilter {
  readonly tokenIds?: readonly string[] | undefined;
  readonly userId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly audience?: string | undefined;
}

export type RefreshTokenListStore = ReturnType<typeof createRefreshTokenListStore>;

export function createRefreshTokenListStore(db: Database) {
  return {
    async find(tenantId: string, tokenId: string, now: Date): Promise<ListedRefreshToken | undefined> {
      const { rows } = await sql<Row>`select ${COLUMNS} from ${living(tenantId, { tokenIds: [tokenId] }, now)}`.execute(
        db,
      );
      return rows[0] && fromRow(rows[0]);
    },

    async after(
      tenantId: string,
      filter: RefreshTokenFilter,
      now: Date,
      position: string | undefined,
      limit: number,
    ): Promise<ListedRefreshToken[]> {
      const { rows } = await sql<Row>`select ${COLUMNS} from ${living(tenantId, filter, now)}
        and token.token_id > ${position ?? ''} order by token.token_id limit ${limit}`.execute(db);
      return rows.map(fromRow);
    },

    async count(tenantId: string, filter: RefreshTokenFilter, now: Date): Promise<number> {
      const { rows } = await sql<{
        total: string;
      }>`select count(*) as total from ${living(tenantId, filter, now)}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },

    /** Ends tokens with all that came of them. */
    async revoke(tenantId: string, filter: RefreshTokenFilter, now: Date): Promise<void> {
      await sql`update token_grants set revoked_at = ${now}
        where tenant_id = ${tenantId} and revoked_at is null and grant_id in (
          select token.grant_id from ${living(tenantId, filter, now)})`.execute(db);
    },

    /** False where no token of this name is alive; a successor that takes its place meanwhile has got the old metadata. */
    async setMetadata(
      tenantId: string,
      tokenId: string,
      metadata: Readonly<Record<string, unknown>>,
    ): Promise<boolean> {
      const { numAffectedRows } = await sql`update refresh_tokens set metadata = ${JSON.stringify(metadata)}::jsonb
        where tenant_id = ${tenantId} and token_id = ${tokenId} and rotated_at is null`.execute(db);
      return numAffectedRows === 1n;
    },
  };
}

/** `from` and `where` of living tokens of ordinary users; the Management API knows no administrators. */
export function living(
  tenantId: string,
  { tokenIds, userId, clientId, audience }: RefreshTokenFilter,
  now: Date,
): RawBuilder<unknown> {
  return sql`refresh_tokens token
      join token_grants "grant" on "grant".tenant_id = token.tenant_id and "grant".grant_id = token.grant_id
      join users "user" on "user".tenant_id = token.tenant_id and "user".user_id = "grant".user_id and not "user".is_system
    where token.tenant_id = ${tenantId} and token.rotated_at is null and "grant".revoked_at is null
      and (token.expires_at is null or token.expires_at > ${now})
      and (token.idle_expires_at is null or token.idle_expires_at > ${now})
      ${tokenIds ? sql`and token.token_id = any(${[...tokenIds]}::text[])` : sql``}
      ${userId === undefined ? sql`` : sql`and "grant".user_id = ${userId}`}
      ${clientId === undefined ? sql`` : sql`and "grant".client_id = ${clientId}`}
      ${audience === undefined ? sql`` : sql`and "grant".audience = ${audience}`}`;
}

interface Row {
  token_id: string;
  user_id: string;
  client_id: string;
  session_id: string | null;
  rotating: boolean;
  audience: string | null;
  scope: string;
  created_at: Date;
  idle_expires_at: Date | null;
  expires_at: Date | null;
  last_used_at: Date | null;
  device: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

const COLUMNS = sql.raw(
  `token.token_id, token.rotating, token.created_at, token.idle_expires_at, token.expires_at, token.last_used_at,
  token.device, token.metadata, "grant".user_id, "grant".client_id, "grant".session_id, "grant".audience, "grant".scope`,
);

function fromRow(row: Row): ListedRefreshToken {
  return {
    tokenId: row.token_id,
    userId: row.user_id,
    clientId: row.client_id,
    sessionId: row.session_id ?? undefined,
    rotating: row.rotating,
    audience: row.audience ?? undefined,
    scope: row.scope,
    createdAt: row.created_at,
    idleExpiresAt: row.idle_expires_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    device: row.device,
    metadata: row.metadata,
  };
}
