import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { createWriteGatherer, recordset } from '../../db/gather-writes.ts';
import type { AuditEvent } from '../../logs/event.ts';
import { toEventRow } from '../../logs/recording/event-row.ts';
import { insertEvents } from '../../logs/recording/insert-events.ts';
import type { SessionUse } from '../../sessions/session-store.ts';
import { storedAdditions } from '../tokens/stored-additions.ts';
import type { NewTokenGrant } from '../tokens/token-grant-store.ts';
import type { NewAuthorizationCode } from './authorization-code-store.ts';

/** All that changes where a living session is answered with a code. */
export interface CodeOfSession {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly idleExpiresAt: Date;
  readonly use: SessionUse;
  readonly grant: NewTokenGrant;
  readonly code: NewAuthorizationCode;
  readonly event: AuditEvent;
  readonly now: Date;
}

export type GiveCode = (answer: CodeOfSession) => Promise<boolean>;

/**
 * Notes the use of a session and stores grant, code and event, for all who are answered at once in one statement. False where
 * the session has ended. Its row is locked first: a logout or a new password either ends it before, or finds the grant.
 */
export function createGiveCode(db: Database, onEvent: (type: AuditEvent['type']) => void): GiveCode {
  const gather = createWriteGatherer<CodeOfSession>({
    keyOf: ({ tenantId, sessionId }) => keyOf(tenantId, sessionId),
    async write(answers, mode) {
      const { rows } = await sql<{ tenant_id: string; session_id: string }>`
        with asked as (${recordset(
          answers.map(toRow),
          sql`tenant_id text, session_id text, idle_expires_at timestamptz, clients jsonb, device jsonb, "grant" jsonb, code jsonb,
            event jsonb, now timestamptz`,
        )}), done as (
          select asked.* from asked, lateral (
            select from sessions where tenant_id = asked.tenant_id and session_id = asked.session_id
            for update ${mode === 'together' ? sql`skip locked` : sql``}) session
        ), used as (
          update sessions set idle_expires_at = least(done.idle_expires_at, sessions.expires_at), is_idle_set = false, updated_at = done.now,
            clients = sessions.clients || done.clients, device = sessions.device || done.device
          from done where sessions.tenant_id = done.tenant_id and sessions.session_id = done.session_id
        ), granted as (
          insert into token_grants (tenant_id, grant_id, client_id, user_id, connection_id, session_id, grant_type, audience,
            scope, auth_time, custom_claims, expires_at)
          select done.tenant_id, new.grant_id, new.client_id, new.user_id, new.connection_id, done.session_id, new.grant_type,
            new.audience, new.scope, new.auth_time, new.custom_claims, new.expires_at
          from done, jsonb_to_record(done."grant") as new (
            grant_id text, client_id text, user_id text, connection_id text, grant_type text, audience text, scope text,
            auth_time timestamptz, custom_claims jsonb, expires_at timestamptz)
        ), given as (
          insert into authorization_codes (tenant_id, code_hash, grant_id, client_id, redirect_uri, nonce, code_challenge,
            code_challenge_method, max_age, dpop_jkt, expires_at)
          select done.tenant_id, new.code_hash, new.grant_id, new.client_id, new.redirect_uri, new.nonce, new.code_challenge,
            new.code_challenge_method, new.max_age, new.dpop_jkt, new.expires_at
          from done, jsonb_to_record(done.code) as new (
            code_hash text, grant_id text, client_id text, redirect_uri text, nonce text, code_challenge text,
            code_challenge_method text, max_age bigint, dpop_jkt text, expires_at timestamptz)
        ), told as (${insertEvents(sql`done`)})
        select tenant_id, session_id from done`.execute(db);
      return new Set(rows.map((row) => keyOf(row.tenant_id, row.session_id)));
    },
  });
  return async (answer) => {
    const isGiven = await gather(answer);
    if (isGiven) onEvent(answer.event.type);
    return isGiven;
  };
}

function toRow({ tenantId, sessionId, idleExpiresAt, use, grant, code, event, now }: CodeOfSession) {
  return {
    tenant_id: tenantId,
    session_id: sessionId,
    idle_expires_at: idleExpiresAt,
    clients: { [use.clientId]: use.origin },
    device: { last_ip: use.ip, last_user_agent: use.userAgent },
    grant: {
      grant_id: grant.grantId,
      client_id: grant.clientId,
      user_id: grant.userId,
      connection_id: grant.connectionId,
      grant_type: grant.grantType,
      audience: grant.audience,
      scope: grant.scope,
      auth_time: grant.authTime,
      custom_claims: storedAdditions(grant.additions),
      expires_at: grant.expiresAt,
    },
    code: {
      code_hash: code.codeHash,
      grant_id: code.grantId,
      client_id: code.clientId,
      redirect_uri: code.redirectUri,
      nonce: code.nonce,
      code_challenge: code.codeChallenge,
      code_challenge_method: code.codeChallenge === undefined ? undefined : 'S256',
      max_age: code.maxAge,
      dpop_jkt: code.dpopJkt,
      expires_at: code.expiresAt,
    },
    event: toEventRow(tenantId, event),
    now,
  };
}

const keyOf = (tenantId: string, sessionId: string) => `${tenantId} ${sessionId}`;
