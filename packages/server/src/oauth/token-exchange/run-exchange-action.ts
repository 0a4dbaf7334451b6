import type { DeployedActions } from '../../actions/deployed-actions.ts';
import type { ActionCommand } from '../../actions/running/action-commands.ts';
import { clientPart, requestPart, tenantPart } from '../../actions/running/event-parts.ts';
import type { RunTrigger } from '../../actions/running/run-trigger.ts';
import type { Connection } from '../../connections/connection.ts';
import { DeclaredError } from '../../kit/errors.ts';
import { type Json, textOf } from '../../kit/json-values.ts';
import { describedAs, explained } from '../../logs/explain-error.ts';
import { withoutControls } from '../../pipeline/pipeline-errors.ts';
import type { Metadata } from '../../users/user.ts';
import type { Target } from '../access/resolve-access.ts';
import { parseScope } from '../access/scope.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { shownParameters } from '../shown-parameters.ts';
import { type Exchange, exchangeEvent } from '../token/token-grant.ts';
import type { TokenResponse } from '../tokens/user-tokens.ts';
import { exchangeErrors } from './exchange-errors.ts';
import type { ExchangeForUser } from './exchange-for-user.ts';
import type { FindNamedUser } from './named-user.ts';
import type { TokenExchangeProfile } from './token-exchange-profile.ts';

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
  readonly findNamedUser: FindNamedUser;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly exchangeForUser: ExchangeForUser;
}

const TRIGGER = 'custom-token-exchange';
const CODE = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;
const LONGEST_REASON = 1_000;
const NAMES_USER = ['authentication.setUserById', 'authentication.setUserByConnection'];
/** What we can't do for an action must not look as if it had been done. */
const UNSUPPORTED = ['authentication.setOrganization', 'authentication.setActor'];

export function createExchangeActionRunner(parts: Parts): RunExchangeAction {
  const { deployed, runTrigger, findNamedUser, findConnection, exchangeForUser } = parts;

  return async function runExchangeAction(request) {
    const { exchange, profile, target } = request;
    const { tenant } = exchange;
    const { tenantId } = tenant;
    const action = await deployed.byId(tenantId, profile.actionId, TRIGGER);
    if (!action) throw exchangeErrors.actionNotRun({ profile: profile.name });
    const { executionId, commands, failure, withoutSecrets } = await runTrigger({
      tenant,
      triggerId: TRIGGER,
      actions: [action],
      input: { event: eventOf(request) },
      about: exchangeEvent(exchange),
    });
    const why = { actions: { executions: [executionId] } };
    if (failure) throw explained(exchangeErrors.actionNotRun({ profile: profile.name }), why);
    const command = whom(commands, why, withoutSecrets);
    const user = await findNamedUser(tenantId, command, metadataOf(commands), exchangeEvent(exchange));
    const [main] = user?.identities ?? [];
    const connection = main && (await findConnection(tenantId, main.connectionId));
    if (!user || !connection) throw explained(exchangeErrors.noUser(), why);
    if (user.blocked) throw explained(oauthErrors.userBlocked(), why);
    return exchangeForUser(exchange, { user, connection, target, executionId });
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
    if (UNSUPPORTED.includes(name)) throw explained(exchangeErrors.unsupported(), { ...why, command: name });
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

function metadataOf(commands: readonly ActionCommand[]): { userMetadata: Metadata; appMetadata: Metadata } {
  const of = (wanted: string) =>
    Object.fromEntries(
      commands.flatMap(({ name, arguments: [key, value] }) =>
        name === wanted && typeof key === 'string' ? [[key, value ?? null]] : [],
      ),
    );
  return { userMetadata: of('user.setUserMetadata'), appMetadata: of('user.setAppMetadata') };
}
