import type { DeployedActions } from '../../actions/deployed-actions.ts';
import type { ActionCommand } from '../../actions/running/action-commands.ts';
import { clientPart, requestPart, tenantPart } from '../../actions/running/event-parts.ts';
import { failedAction } from '../../actions/running/named-action.ts';
import type { RunTrigger } from '../../actions/running/run-trigger.ts';
import { noteInTransaction } from '../../actions/running/transaction-part.ts';
import { DeclaredError } from '../../kit/errors.ts';
import { type Json, textOf } from '../../kit/json-values.ts';
import { describedAs, explained, explanationOf } from '../../logs/explain-error.ts';
import type { TokenExchangeFacts } from '../../pipeline/login-facts.ts';
import { withoutControls } from '../../pipeline/pipeline-errors.ts';
import { userErrors } from '../../users/user.ts';
import type { Target } from '../access/resolve-access.ts';
import { parseScope } from '../access/scope.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { shownParameters } from '../shown-parameters.ts';
import { type Exchange, exchangeEvent } from '../token/token-grant.ts';
import type { TokenResponse } from '../tokens/user-tokens.ts';
import { exchangeErrors } from './exchange-errors.ts';
import type { ExchangeForUser } from './exchange-for-user.ts';
import type { MetadataChanges, PlannedUser, PlanUser } from './plan-user.ts';
import { readActor } from './read-actor.ts';
import { EXCHANGE_TRIGGER, type TokenExchangeProfile } from './token-exchange-profile.ts';

export interface ExchangeRequest {
  readonly exchange: Exchange;
  readonly profile: TokenExchangeProfile;
  readonly subjectToken: string;
  readonly requestedType: string;
  readonly target: Target;
}

/** Lets the profile's action say whose tokens the subject token is exchanged for. */
export type RunExchangeAction = (request: ExchangeRequest) => Promise<TokenResponse>;

interface Parts {
  readonly deployed: Pick<DeployedActions, 'byId'>;
  readonly runTrigger: RunTrigger;
  readonly planUser: PlanUser;
  readonly exchangeForUser: ExchangeForUser;
}

const CODE = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;
const LONGEST_REASON = 1_000;
const NAMES_USER = ['authentication.setUserById', 'authentication.setUserByConnection'];

export function createExchangeActionRunner(parts: Parts): RunExchangeAction {
  const { deployed, runTrigger, planUser, exchangeForUser } = parts;

  return async function runExchangeAction(request) {
    const { exchange, profile, target } = request;
    const { tenant } = exchange;
    const { tenantId } = tenant;
    const action = await deployed.byId(tenantId, profile.actionId, EXCHANGE_TRIGGER);
    if (!action) throw exchangeErrors.actionNotRun({ profile: profile.name });
    const { executionId, commands, failure, withoutSecrets } = await runTrigger({
      tenant,
      triggerId: EXCHANGE_TRIGGER,
      actions: [action],
      input: { event: eventOf(request) },
      about: exchangeEvent(exchange),
    });
    const why = { actions: { executions: [executionId] }, action: { id: action.id, name: action.name } };
    if (failure)
      throw explained(exchangeErrors.actionNotRun({ profile: profile.name }), { ...why, ...failedAction(failure) });
    try {
      const command = whom(commands, why, withoutSecrets);
      const facts = factsOf(request, commands);
      const exchanged = { target, facts, executionId };
      const plan = () => planned(exchange, command, metadataOf(commands), why);
      const first = await plan();
      try {
        return await exchangeForUser(exchange, { ...exchanged, planned: first });
      } catch (cause) {
        if (!first.isNew || !isTaken(cause)) throw cause;
        // Of two exchanges at once one makes the user.
        const second = await plan();
        if (second.isNew) throw exchangeErrors.userMalformed({ reason: 'the address or the name is taken' }, { cause });
        return await exchangeForUser(exchange, { ...exchanged, planned: second });
      }
    } catch (error) {
      throw toldOf(error, why);
    }
  };

  async function planned(
    exchange: Exchange,
    command: ActionCommand,
    metadata: MetadataChanges,
    why: Json,
  ): Promise<PlannedUser> {
    const found = await planUser(exchange.tenant.tenantId, exchange.client, command, metadata, exchangeEvent(exchange));
    if (!found) throw explained(exchangeErrors.noUser(), why);
    if (found.user.blocked) throw explained(oauthErrors.userBlocked(), why);
    return found;
  }
}

/** Errors of a user as the Management API has them are errors of a token exchange here. */
function toldOf(error: unknown, why: Json): unknown {
  if (!(error instanceof DeclaredError)) return error;
  if (error.code === 'invalid_body') return explained(exchangeErrors.userMalformed({ reason: error.message }), why);
  return Object.keys(explanationOf(error)).length > 0 ? error : explained(error, why);
}

function isTaken(cause: unknown): boolean {
  const taken = [userErrors.alreadyExists().message, userErrors.usernameTaken().message];
  return cause instanceof DeclaredError && taken.includes(cause.message);
}

function factsOf({ exchange, profile }: ExchangeRequest, commands: readonly ActionCommand[]): TokenExchangeFacts {
  const actorTokenType = exchange.parameters.get('actor_token_type');
  const actor = commands.findLast(({ name }) => name === 'authentication.setActor');
  return {
    subjectTokenType: profile.subjectTokenType,
    ...(actorTokenType !== undefined && { actorTokenType }),
    ...(actor && { actor: readActor(actor.arguments[0]) }),
    metadata: commands
      .filter(({ name }) => name === 'transaction.setMetadata')
      .reduce<Json>((noted, { arguments: [key, value] }) => noteInTransaction(noted, textOf(key) ?? '', value), {}),
  };
}

function eventOf({ exchange, profile, subjectToken, requestedType, target }: ExchangeRequest): Json {
  const { tenant, client, requester, parameters } = exchange;
  const [actorToken, actorType] = [parameters.get('actor_token'), parameters.get('actor_token_type')];
  return {
    client: clientPart(client),
    request: requestPart({ requester, method: 'POST', body: shownParameters(parameters.all) }),
    ...(target.api && { resource_server: { identifier: target.api.identifier } }),
    tenant: tenantPart(tenant),
    transaction: {
      ...(actorToken !== undefined && { actor_token: actorToken, actor_token_type: actorType }),
      requested_scopes: parseScope(parameters.get('scope')),
      requested_token_type: requestedType,
      subject_token: subjectToken,
      subject_token_type: profile.subjectTokenType,
    },
  };
}

/** Exactly one command names the user. */
function whom(commands: readonly ActionCommand[], why: Json, withoutSecrets: (text: string) => string): ActionCommand {
  const refuse = (error: DeclaredError): never => {
    throw explained(describedAs(error, withoutSecrets(error.message)), why);
  };
  for (const { name, arguments: given } of commands) {
    const [first, second] = given;
    if (name === 'access.deny') refuse(denied(textOf(first), textOf(second)));
    if (name === 'access.rejectInvalidSubjectToken') refuse(denied('invalid_request', textOf(first)));
    // What we can't do for an action must not look as if it had been done.
    if (name === 'authentication.setOrganization') throw explained(exchangeErrors.noOrganizations(), why);
  }
  const naming = commands.filter(({ name }) => NAMES_USER.includes(name));
  const [only] = naming;
  if (!only || naming.length > 1) throw explained(exchangeErrors.noUser(), why);
  return only;
}

function denied(code: string | undefined, reason: string | undefined): DeclaredError {
  const known = code !== undefined && CODE.test(code) ? code : 'invalid_request';
  const text = withoutControls(reason ?? '').slice(0, LONGEST_REASON) || 'The exchange was denied.';
  return new DeclaredError({ status: 400, code: known, message: text }, text, {});
}

function metadataOf(commands: readonly ActionCommand[]): MetadataChanges {
  const of = (wanted: string) =>
    Object.fromEntries(
      commands.flatMap(({ name, arguments: [key, value] }) =>
        name === wanted && typeof key === 'string' ? [[key, value ?? null]] : [],
      ),
    );
  return { userMetadata: of('user.setUserMetadata'), appMetadata: of('user.setAppMetadata') };
}
