import type { Client } from '../../clients/client.ts';
import type { Failure } from '../../containers/job.ts';
import { type HookRunner, hookFailure } from '../../hooks/run-hook.ts';
import { type DeclaredError, defineErrors } from '../../kit/errors.ts';
import { type Json, objectOf, oneOf, textOf, textsOf } from '../../kit/json-values.ts';
import type { AuditEvent, RecordEvent, Requester } from '../../logs/event.ts';
import { describedAs, explained } from '../../logs/explain-error.ts';
import {
  bytesOf,
  customClaims,
  MOST_CLAIM_BYTES,
  MOST_OWN_CLAIM_BYTES,
  TOO_LARGE_FOR_OWN_API,
} from '../../pipeline/custom-claims.ts';
import { withoutControls } from '../../pipeline/pipeline-errors.ts';
import type { ResourceServer } from '../../resource-servers/resource-server.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { DeployedActions } from '../deployed-actions.ts';
import type { ActionCommand } from './action-commands.ts';
import { clientPart, requestPart, tenantPart } from './event-parts.ts';
import { failedAction, namedAction } from './named-action.ts';
import type { RunTrigger } from './run-trigger.ts';

/** A machine that is about to get a token. */
export interface CredentialsExchange {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly api: ResourceServer;
  readonly audience: string;
  /** What its grant gives it of what it asked for. */
  readonly scopes: readonly string[];
  readonly requestedScopes: readonly string[];
  readonly requester: Requester;
  /** The request, without what proves who the machine is. */
  readonly body: Json;
  readonly about: Omit<AuditEvent, 'type'>;
}

export interface MachineToken {
  readonly scopes: readonly string[];
  readonly claims: Json;
  /** Of the actions that ran, for the event. */
  readonly executionId?: string;
}

interface Parts {
  readonly deployed: Pick<DeployedActions, 'atTrigger'>;
  readonly runTrigger: RunTrigger;
  readonly hooks: HookRunner;
  readonly recordAlone: RecordEvent;
}

export type ExchangeCredentials = (exchange: CredentialsExchange) => Promise<MachineToken>;

const TRIGGER = 'credentials-exchange';
const DENIALS = ['invalid_scope', 'invalid_request', 'server_error'] as const;
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,280}$/;
const MOST_SCOPES = 1_000;
const LONGEST_REASON = 1_000;

export const exchangeDenials = defineErrors({
  invalid_scope: { status: 400, code: 'invalid_scope', message: '{reason}' },
  invalid_request: { status: 400, code: 'invalid_request', message: '{reason}' },
  server_error: { status: 500, code: 'server_error', message: '{reason}' },
});

/** What a tenant's code makes of a machine's token, the hook before the actions. A tenant without code pays two look-ups in memory. */
export function createCredentialsExchange({ deployed, runTrigger, hooks, recordAlone }: Parts): ExchangeCredentials {
  return async function exchangeCredentials(exchange) {
    const { tenant, scopes } = exchange;
    const actions = await deployed.atTrigger(tenant.tenantId, TRIGGER);
    const hasHook = await hooks.isUsed(tenant.tenantId, TRIGGER);
    if (actions.length === 0 && !hasHook) return { scopes, claims: {} };
    const hooked = hasHook ? await runHook(exchange) : { scopes, claims: {} };
    if (actions.length === 0) return bounded(exchange, hooked);
    const { executionId, commands, failure, withoutSecrets } = await runTrigger({
      tenant,
      triggerId: TRIGGER,
      actions,
      input: { event: eventOf(exchange, hooked) },
      about: exchange.about,
    });
    const executions = { actions: { executions: [executionId] } };
    if (failure)
      return unlessOwnApi(exchange, failure, explained(internal(), { ...executions, ...failedAction(failure) }));
    const denial = commands.find(({ name }) => name === 'access.deny');
    if (denial) {
      const [code, reason] = denial.arguments;
      const error = denied(code, reason);
      const why = { ...executions, ...namedAction(actions, denial) };
      throw explained(describedAs(error, withoutSecrets(error.message)), why);
    }
    return bounded(exchange, commands.reduce(apply, { ...hooked, executionId }));
  };

  async function runHook(exchange: CredentialsExchange): Promise<MachineToken> {
    const { tenant, client, api, scopes, audience, requester, body } = exchange;
    const { clientId, name, metadata } = client;
    const given = [
      { id: clientId, name, tenant: tenant.tenantId, metadata },
      scopes,
      audience,
      { request: { ip: requester.ip, userAgent: requester.userAgent, hostname: requester.hostname, body } },
    ];
    const outcome = await hooks.run(tenant, TRIGGER, given, exchange.about);
    if (!outcome) return { scopes, claims: {} };
    if (!outcome.ok) {
      const { failure, hook } = outcome;
      const { error } = failure;
      const code = oneOf(DENIALS, error?.code);
      const details = { hook: hookFailure(hook, failure) };
      if (code) {
        const denial = describedAs(denied(code, error?.message), reasonOf(failure.logged?.message));
        throw explained(denial, details);
      }
      return unlessOwnApi({ api, scopes }, failure, explained(internal(), details));
    }
    const { scope, ...claims } = objectOf(outcome.answer);
    return { scopes: Array.isArray(scope) ? textsOf(scope) : scopes, claims };
  }

  /** The Management API reads scopes and claims of its tokens: code adds nothing to what a client was granted there. */
  async function bounded({ api, scopes, tenant, about }: CredentialsExchange, token: MachineToken) {
    const { claims } = customClaims(token.claims, { isOwnApi: api.isSystem });
    const size = bytesOf(claims);
    if (api.isSystem) {
      const isTooLarge = size > MOST_OWN_CLAIM_BYTES;
      if (isTooLarge)
        await recordAlone(tenant.tenantId, { ...about, type: 'loginWarned', description: TOO_LARGE_FOR_OWN_API });
      const kept = token.scopes.filter((scope) => scopes.includes(scope));
      return { ...token, claims: isTooLarge ? {} : claims, scopes: [...new Set(kept)] };
    }
    if (size > MOST_CLAIM_BYTES) throw internal();
    const chosen = [...new Set(token.scopes)].filter((scope) => SCOPE.test(scope));
    return { ...token, claims, scopes: chosen.slice(0, MOST_SCOPES) };
  }
}

/** All of it passes by itself, and is of other requests' making. */
const NOT_ASKED: ReadonlySet<Failure['kind']> = new Set(['busy', 'recycled', 'circuit_open']);

/**
 * Code that is broken must not close the API through which it would be mended; what it denies there is denied. Where it was
 * not even asked, another attempt will do: whoever sends enough requests at once decides whether there is a free place, and
 * whoever ends enough containers, by whatever code, whether there is any.
 */
function unlessOwnApi(
  { api, scopes }: Pick<CredentialsExchange, 'api' | 'scopes'>,
  { kind }: Failure,
  error: DeclaredError,
): MachineToken {
  if (!api.isSystem || NOT_ASKED.has(kind)) throw error;
  return { scopes, claims: {} };
}

function eventOf(exchange: CredentialsExchange, { scopes, claims }: MachineToken): Json {
  const { tenant, client, api, requestedScopes, requester, body } = exchange;
  return {
    accessToken: { customClaims: claims, scope: scopes },
    client: clientPart(client),
    request: requestPart({ requester, method: 'POST', body }),
    resource_server: { identifier: api.identifier },
    tenant: tenantPart(tenant),
    transaction: { requested_scopes: requestedScopes, target_scopes: scopes },
  };
}

function apply(token: MachineToken, { name, arguments: given }: ActionCommand): MachineToken {
  const [first, second] = given;
  const text = textOf(first);
  if (name === 'transaction.clearTargetScopes') return { ...token, scopes: [] };
  if (name === 'transaction.setTargetScopes') return { ...token, scopes: textsOf(first) };
  if (text === undefined) return token;
  if (name === 'transaction.addTargetScope') return { ...token, scopes: [...token.scopes, text] };
  if (name === 'transaction.removeTargetScope') return { ...token, scopes: token.scopes.filter((one) => one !== text) };
  if (name !== 'accessToken.setCustomClaim') return token;
  const others = Object.entries(token.claims).filter(([claim]) => claim !== text);
  return { ...token, claims: Object.fromEntries(second === null ? others : [...others, [text, second]]) };
}

function denied(code: unknown, reason: unknown) {
  return exchangeDenials[oneOf(DENIALS, code) ?? 'invalid_request']({ reason: reasonOf(reason) });
}

function reasonOf(reason: unknown): string {
  return withoutControls(textOf(reason) ?? '').slice(0, LONGEST_REASON) || 'The request was denied.';
}

function internal() {
  return exchangeDenials.server_error({ reason: 'Internal error.' });
}
