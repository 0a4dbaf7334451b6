import type { AuditEvent } from '../event.ts';
import { logTypes } from '../log-types.ts';
import { maskSecretText } from '../masking/mask-secret-text.ts';
import { maskSecrets } from '../masking/mask-secrets.ts';
import { storableText } from '../masking/storable-text.ts';
import { describeUserAgent } from './user-agent.ts';

/** What an INSERT sends, named as the columns; epoch, xid, seq, day and at come from the database. */
export interface EventRow {
  readonly tenant_id: string;
  readonly type: string;
  readonly user_id: string | null;
  readonly client_id: string | null;
  readonly connection: string | null;
  readonly ip: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

const MAX_TEXT = 1_000;
/** These columns stand in indexes, whose entries end at 2,704 bytes. */
const MAX_KEY = 300;

/** An event as it is stored: secrets masked, texts bounded. */
export function toEventRow(tenantId: string, event: AuditEvent): EventRow {
  return {
    tenant_id: tenantId,
    type: logTypes[event.type].code,
    user_id: text(event.userId, MAX_KEY),
    client_id: text(event.clientId, MAX_KEY),
    connection: text(event.connection, MAX_KEY),
    ip: text(event.ip, MAX_KEY),
    body: bodyOf(event),
  };
}

/** The members of the wire record that are no columns, under their wire names. */
function bodyOf(event: AuditEvent): Record<string, unknown> {
  const agent = event.userAgent === undefined ? undefined : describeUserAgent(event.userAgent);
  return {
    // A description may quote what the client sent.
    description: quoted(event.description),
    connection_id: given(event.connectionId),
    client_name: given(event.clientName),
    client_ip: given(event.clientIp),
    user_agent: agent?.name,
    isMobile: agent?.isMobile,
    hostname: given(event.hostname),
    user_name: given(event.userName),
    identity_user_id: given(event.identityUserId),
    // What was asked for, known or not.
    audience: quoted(event.audience),
    scope: quoted(event.scope),
    strategy: given(event.strategy),
    strategy_type: given(event.strategyType),
    session_connection: given(event.sessionConnection),
    session_connection_id: given(event.sessionConnectionId),
    organization_id: given(event.organizationId),
    organization_name: given(event.organizationName),
    auth0_client: event.auth0Client && maskSecrets(event.auth0Client),
    details: event.details && maskSecrets(event.details),
  };
}

function text(value: string | undefined, maxLength: number): string | null {
  return value === undefined ? null : storableText(value, maxLength);
}

/** A text that quotes what somebody sent, perhaps with a secret in it. */
function quoted(value: string | undefined): string | undefined {
  return value === undefined ? undefined : given(maskSecretText(value.slice(0, 4 * MAX_TEXT)));
}

function given(value: string | undefined): string | undefined {
  return value === undefined ? undefined : storableText(value, MAX_TEXT);
}
