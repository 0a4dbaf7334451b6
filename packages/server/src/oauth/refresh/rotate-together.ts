import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { createWriteGatherer, recordset } from '../../db/gather-writes.ts';
import type { AuditEvent } from '../../logs/event.ts';
import { toEventRow } from '../../logs/recording/event-row.ts';
import { insertEvents } from '../../logs/recording/insert-events.ts';
import type { ClaimAdditions } from '../../pipeline/outcome.ts';
import { confirmationToText } from '../possession/possession.ts';
import { storedAdditions } from '../tokens/stored-additions.ts';
import type { NewAccessToken } from '../tokens/token-grant-store.ts';
import type { MetadataWishes } from './refresh-token.ts';
import type { RefreshToken, TokenUse } from './refresh-token-store.ts';
import { withWishes } from './with-wishes.ts';

/** All that a refresh with rotation changes. */
export interface Rotation {
  readonly tenantId: string;
  readonly tokenHash: string;
  readonly successor: RefreshToken;
  readonly use: TokenUse;
  /** The grant has to last as long as its youngest token; undefined where it does already. */
  readonly grantExpiresAt: Date | undefined;
  readonly accessToken: NewAccessToken | undefined;
  readonly event: AuditEvent;
  /** What tenant code adds from now on, where it is not what it added before. */
  readonly additions?: ClaimAdditions;
  /** What it wants to note with the token. */
  readonly metadata?: MetadataWishes | undefined;
  readonly now: Date;
}

export type Rotate = (rotation: Rotation) => Promise<boolean>;

/**
 * Marks a token as rotated and stores its successor, the opaque access token and the event, for all who refresh at once in
 * one statement. Of those who present the same token, in however many processes, one gets true: the others find it rotated.
 */
export function createRotate(db: Database, onEvent: (type: AuditEvent['type']) => void): Rotate {
  const gather = createWriteGatherer<Rotation>({
    keyOf: ({ tenantId, tokenHash }) => keyOf(tenantId, tokenHash),
    async write(rotations, mode) {
      const { rows } = await sql<{ tenant_id: string; token_hash: string }>`
        with asked as (${recordset(
          rotations.map(toRow),
          sql`tenant_id text, token_hash text, next_hash text, rotating boolean, idle_expires_at timestamptz,
            expires_at timestamptz, confirmation text, last jsonb, grant_expires_at timestamptz, changes jsonb, noted jsonb, access jsonb,
            event jsonb, now timestamptz`,
        )}), free as (
          select asked.*, token.* from asked, lateral (
            select token_id, grant_id, created_at, device, metadata from refresh_tokens
            where tenant_id = asked.tenant_id and token_hash = asked.token_hash and rotated_at is null
            for update ${mode === 'together' ? sql`skip locked` : sql``}) token
        ), done as (
          update refresh_tokens token set rotated_at = free.now, last_used_at = free.now from free
          where token.tenant_id = free.tenant_id and token.token_hash = free.token_hash and token.rotated_at is null
          returning free.*
        ), successors as (
          insert into refresh_tokens (tenant_id, token_hash, token_id, grant_id, rotating, idle_expires_at, expires_at,
            confirmation, created_at, last_used_at, device, metadata)
          select tenant_id, next_hash, token_id, grant_id, rotating, idle_expires_at, expires_at, confirmation, created_at, now,
            device || last, case when noted is null then metadata else ${withWishes(sql`metadata`, sql`noted`)} end
          from done
        ), kept as (
          update token_grants "grant" set expires_at = greatest("grant".expires_at, done.grant_expires_at),
            custom_claims = case when done.changes is null then "grant".custom_claims else done.changes->'additions' end
          from done
          where "grant".tenant_id = done.tenant_id and "grant".grant_id = done.grant_id
            and ("grant".expires_at < done.grant_expires_at or done.changes is not null)
        ), opened as (
          insert into access_tokens (tenant_id, token_hash, grant_id, scope, confirmation, expires_at)
          select done.tenant_id, opaque.token_hash, done.grant_id, opaque.scope, opaque.confirmation, opaque.expires_at
          from done, jsonb_to_record(done.access) as opaque (
            token_hash text, scope text, confirmation text, expires_at timestamptz)
          where done.access is not null
        ), told as (${insertEvents(sql`done`)})
        select tenant_id, token_hash from done`.execute(db);
      return new Set(rows.map((row) => keyOf(row.tenant_id, row.token_hash)));
    },
  });
  return async (rotation) => {
    const isRotated = await gather(rotation);
    if (isRotated) onEvent(rotation.event.type);
    return isRotated;
  };
}

function toRow(rotation: Rotation) {
  const { tenantId, tokenHash, successor, use, grantExpiresAt, accessToken, event, additions, metadata, now } =
    rotation;
  return {
    tenant_id: tenantId,
    token_hash: tokenHash,
    next_hash: successor.tokenHash,
    rotating: successor.rotating,
    idle_expires_at: successor.idleExpiresAt,
    expires_at: successor.expiresAt,
    confirmation: confirmationToText(successor.confirmation),
    last: { last_ip: use.ip, last_user_agent: use.userAgent },
    grant_expires_at: grantExpiresAt,
    changes: additions && { additions: storedAdditions(additions) },
    noted: metadata,
    access: accessToken && {
      token_hash: accessToken.tokenHash,
      scope: accessToken.scope,
      confirmation: confirmationToText(accessToken.confirmation),
      expires_at: accessToken.expiresAt,
    },
    event: toEventRow(tenantId, event),
    now,
  };
}

const keyOf = (tenantId: string, tokenHash: string) => `${tenantId} ${tokenHash}`;
