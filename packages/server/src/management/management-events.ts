import { isObject } from '../kit/json-values.ts';
import type { AuditEvent, Requester } from '../logs/event.ts';
import { MASK } from '../logs/masking/mask-secrets.ts';
import type { Actor } from './call.ts';
import type { Operation } from './catalogue.ts';
import { titleOf } from './operation-title.ts';
import type { Query } from './parse-query.ts';

interface Context {
  readonly requester: Requester;
  readonly actor: Actor;
  readonly operation: Operation;
  /** As it was requested, without the query. */
  readonly path: string;
  readonly query: Query;
  readonly body: unknown;
}

/** A change that the API made (`sapi`): what was asked and answered. Secrets are masked where events are written. */
export function changeEvent(context: Context, answer: unknown): AuditEvent {
  return {
    type: 'managementChanged',
    ...commonOf(context),
    details: { request: requestOf(context), response: responseOf(context.operation, answer) },
  };
}

/** A read whose answer carries secrets (`mgmt_api_read`); the answer itself is not written down. */
export function secretReadEvent(context: Context, secrets: readonly string[]): AuditEvent {
  return {
    type: 'managementSecretRead',
    ...commonOf(context),
    details: {
      request: requestOf(context),
      response: { statusCode: context.operation.status },
      accessedSecrets: secrets,
    },
  };
}

/** The tenant's bucket is empty (`api_limit`). */
export function rateLimitEvent(
  requester: Requester,
  actor: Actor,
  operation: Operation,
  isTenantCode: boolean,
): AuditEvent {
  return {
    type: 'rateLimited',
    ...requester,
    description: 'Global limit has been reached',
    ...clientOf(actor),
    details: {
      policy: isTenantCode ? 'management-api-tenant-code' : 'management-api-global',
      request: { method: operation.method.toLowerCase(), path: `/api/v2${operation.path}` },
    },
  };
}

function commonOf({ requester, actor, operation }: Context) {
  return {
    ...requester,
    description: titleOf(operation),
    ...clientOf(actor),
    ...(actor.userId !== undefined && { userId: actor.userId }),
  };
}

function clientOf({ clientId, clientName }: Actor) {
  return { clientId, ...(clientName !== undefined && { clientName }) };
}

function requestOf({ requester, actor, operation, path, query, body }: Context): Record<string, unknown> {
  return {
    method: operation.method.toLowerCase(),
    path,
    query,
    ...(body !== undefined && { body: withoutValues(operation, body) }),
    userAgent: requester.userAgent,
    channel: 'api',
    ip: requester.ip,
    auth: {
      user: actor.userId === undefined ? {} : { user_id: actor.userId },
      strategy: 'jwt',
      credentials: { ...(actor.jti !== undefined && { jti: actor.jti }), scopes: [...actor.scopes] },
    },
  };
}

function responseOf(operation: Operation, answer: unknown): Record<string, unknown> {
  return {
    statusCode: operation.status,
    ...(operation.status !== 204 && answer !== undefined && { body: withoutValues(operation, answer) }),
  };
}

/** Secrets whose names their operators choose, or that are called `value`: their names tell nobody that they are secrets. */
const SECRET_VALUES: Readonly<Record<string, (name: string) => boolean>> = {
  'PUT /rules-configs/{key}': (name) => name === 'value',
  'POST /hooks/{id}/secrets': () => true,
  'PATCH /hooks/{id}/secrets': () => true,
};

function withoutValues({ name }: Operation, value: unknown): unknown {
  const isSecret = SECRET_VALUES[name];
  if (isSecret === undefined || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, isSecret(key) ? MASK : member]));
}
