import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Form } from '../../http/form.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { isTooLong, type Parameters, toParameters } from '../parameters.ts';
import type { AuthorizationRequest, ReturnAddress, ScreenHint } from './authorization-request.ts';
import { authorizeErrors, authorizePageErrors } from './authorize-errors.ts';
import { checkAcrValues } from './check-acr-values.ts';
import { checkConnection } from './check-connection.ts';
import { checkDpopJkt } from './check-dpop-jkt.ts';
import { checkIdTokenHint, type ReadIdToken } from './check-id-token-hint.ts';
import { checkNonce } from './check-nonce.ts';
import { checkPkce } from './check-pkce.ts';
import { checkMaxAge, checkPrompt } from './check-prompt.ts';
import { checkRedirectUri } from './check-redirect-uri.ts';
import { checkResponseType } from './check-response-type.ts';
import { checkThirdParty } from './check-third-party.ts';
import { checkWebMessage } from './check-web-message.ts';
import { readExtensions } from './extension-parameters.ts';
import { isVerifiable } from './is-verifiable.ts';
import { defaultResponseMode, readResponseMode } from './response-mode.ts';
import { protocolOf } from './response-type.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly findConnectionByName: (tenantId: string, name: string) => Promise<Connection | undefined>;
  readonly readIdToken: ReadIdToken;
  readonly access: AccessResolver;
}

const SCREEN_HINTS: readonly ScreenHint[] = ['signup', 'login', 'reset-password'];

export type AuthorizationChecks = ReturnType<typeof createAuthorizationChecks>;

/** The checks of /authorize in their order (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.2, authentication-api section 2). */
export function createAuthorizationChecks({ findClient, findConnectionByName, readIdToken, access }: Parts) {
  /** First who asks and where the answer may go: what fails here is told on a page. */
  async function returnAddress(tenant: Tenant, form: Form): Promise<ReturnAddress> {
    if (!form.wellFormed) throw authorizePageErrors.malformed({ reason: 'The request is malformed' });
    for (const name of ['client_id', 'redirect_uri']) {
      if (form.repeated.includes(name))
        throw authorizePageErrors.malformed({ reason: `Parameter must not be repeated: ${name}` });
    }
    const { client_id: clientId, redirect_uri: given, response_mode: mode, response_type: type, state } = form.values;
    if (!clientId) throw authorizePageErrors.malformed({ reason: 'Missing required parameter: client_id' });
    const client = await findClient(tenant.tenantId, clientId);
    if (!client || client.isGlobal) throw authorizePageErrors.unknownClient({ clientId: clientId.slice(0, 128) });
    const redirectUri = checkRedirectUri(tenant, client, given || undefined);
    return {
      client,
      redirectUri,
      isRedirectUriGiven: Boolean(given),
      responseMode:
        readResponseMode(mode || undefined, type || undefined, redirectUri) ?? defaultResponseMode(type || undefined),
      // To the letter or not at all: a part of a state is a wrong one (RFC 6749 section 4.1.2).
      state: form.repeated.includes('state') || isTooLong(state) ? undefined : state || undefined,
    };
  }

  /** Then the request itself: what fails here goes back to the client. */
  async function authorizationRequest(
    tenant: Tenant,
    address: ReturnAddress,
    form: Form,
  ): Promise<AuthorizationRequest> {
    const { client } = address;
    const parameters = toParameters(form);
    checkThirdParty(client, parameters);
    refuseForeignParameters(parameters);
    const responseType = checkResponseType(client, parameters.get('response_type'));
    const mode = readResponseMode(
      parameters.get('response_mode'),
      parameters.get('response_type'),
      address.redirectUri,
    );
    if (mode === undefined)
      throw authorizeErrors.invalidRequest({ reason: 'response_mode does not exist, or not for this response_type' });
    checkWebMessage(tenant, client, mode, address.redirectUri);
    checkNonce(responseType, parameters.get('nonce'), parameters.get('scope'));
    const codeChallenge = responseType.code
      ? checkPkce(client, parameters.get('code_challenge'), parameters.get('code_challenge_method'))
      : undefined;
    const prompts = checkPrompt(parameters.get('prompt'));
    checkAcrValues(parameters.get('acr_values'), prompts);
    const maxAge = checkMaxAge(parameters.get('max_age'));
    const subject = await checkIdTokenHint(client, parameters.get('id_token_hint'), (token) =>
      readIdToken(tenant.tenantId, client, token),
    );
    const target = await access.target(tenant, parameters.get('audience'), (audience) =>
      authorizeErrors.serviceNotFound({ audience }),
    );
    const connection = await checkConnection(client, parameters.get('connection'), (name) =>
      findConnectionByName(tenant.tenantId, name),
    );
    return {
      ...address,
      responseType,
      scope: parameters.get('scope') ?? '',
      parameters: parameters.all,
      protocol: protocolOf(responseType),
      target,
      nonce: parameters.get('nonce'),
      codeChallenge,
      prompts,
      dpopJkt: checkDpopJkt(parameters.get('dpop_jkt')),
      isVerifiable: isVerifiable(address.redirectUri, tenant),
      maxAge,
      subject,
      loginHint: parameters.get('login_hint'),
      connection,
      screenHint: SCREEN_HINTS.find((hint) => hint === parameters.get('screen_hint')),
      extensions: readExtensions(parameters.all),
    };
  }

  return { returnAddress, authorizationRequest };
}

/** What changes the meaning of a request must not be passed over: resolve-request.ts has read what it understands (RFC 9101). */
function refuseForeignParameters(parameters: Parameters): void {
  if (parameters.get('request') !== undefined) throw authorizeErrors.requestNotSupported();
  if (parameters.get('request_uri') !== undefined) throw authorizeErrors.requestUriNotSupported();
  if (parameters.get('organization') !== undefined || parameters.get('invitation') !== undefined)
    throw authorizeErrors.organizationNotAllowed();
}
