import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import { digest } from '../../kit/digest.ts';
import { DeclaredError } from '../../kit/errors.ts';
import { randomSecret } from '../../kit/ids.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import type { AuthorizationChecks } from '../authorize/authorize.ts';
import { authorizeErrors } from '../authorize/authorize-errors.ts';
import { MOST_PUSHED_EXTENSIONS, readExtensions } from '../authorize/extension-parameters.ts';
import type { ReadRequestObject } from '../authorize/request-object.ts';
import { formOf, REQUEST_URI_PREFIX } from '../authorize/resolve-request.ts';
import { type AuthenticateClient, clientRequest } from '../client-authentication/authenticate-client.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { bodyParameters, type Parameters } from '../parameters.ts';
import type { ProvePossession } from '../possession/prove-possession.ts';
import { isRecorded } from '../token/token-grant.ts';
import type { PushedRequestStore } from './pushed-request-store.ts';

interface Parts {
  readonly authenticateClient: AuthenticateClient;
  readonly provePossession: ProvePossession;
  readonly checks: AuthorizationChecks;
  readonly readRequestObject: ReadRequestObject;
  readonly pushedRequests: Pick<PushedRequestStore, 'insert'>;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

type Values = Readonly<Record<string, string>>;

const MAX_BODY_BYTES = 10_240;
/** How the client proves who it is: no part of its request. */
const CREDENTIALS: ReadonlySet<string> = new Set(['client_secret', 'client_assertion', 'client_assertion_type']);

/** POST /oauth/par (RFC 9126): a client deposits its /authorize request, checked in full, and gets a name for it that counts once. */
export function parEndpoint(app: FastifyInstance, parts: Parts): void {
  const { authenticateClient, checks, pushedRequests, recordAlone, now } = parts;

  app.post('/oauth/par', { config: { errors: 'oauth' }, bodyLimit: MAX_BODY_BYTES }, async (http, reply) => {
    const parameters = bodyParameters(http);
    let client: Client | undefined;
    try {
      if (!settingsOf(http.tenant).acceptsPushedRequests) throw oauthErrors.pushedRequestsDisabled();
      client = await authenticateClient(clientRequest(http, parameters));
      const values = await withKey(http, reply, client, await check(http, client, parameters));
      const uri = `${REQUEST_URI_PREFIX}${randomSecret()}`;
      const { lifetimeInSeconds } = client.pushedRequests;
      await pushedRequests.insert(http.tenant.tenantId, {
        requestHash: digest(uri),
        clientId: client.clientId,
        request: values,
        expiresAt: new Date(now().getTime() + lifetimeInSeconds * 1000),
      });
      return reply
        .code(201)
        .headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
        .send({ request_uri: uri, expires_in: lifetimeInSeconds });
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.status >= 500 || isRecorded(error)) throw error;
      const refusal = toRefusal(error);
      await recordAlone(http.tenant.tenantId, {
        ...http.requester,
        type: 'pushedAuthorizationRefused',
        ...(client
          ? { clientId: client.clientId, clientName: client.name }
          : { clientId: parameters.get('client_id')?.slice(0, 128) ?? '' }),
        description: refusal.message,
        details: { error: { message: refusal.message, oauthError: refusal.code } },
      });
      throw refusal;
    }
  });

  /** A DPoP proof binds the code to its key, as `dpop_jkt` would (RFC 9449 section 10.1); both must name the same one. */
  async function withKey(http: FastifyRequest, reply: FastifyReply, client: Client, values: Values): Promise<Values> {
    const { jkt } = await parts.provePossession(http, reply, client);
    if (jkt === undefined) return values;
    if (values.dpop_jkt && values.dpop_jkt !== jkt) throw oauthErrors.boundToOtherKey();
    return { ...values, dpop_jkt: jkt };
  }

  /** As /authorize would check it (RFC 9126 section 2.1), a signed request included (section 3). */
  async function check({ tenant, origin }: FastifyRequest, client: Client, sent: Parameters): Promise<Values> {
    if (isPublic(client)) throw oauthErrors.pushedRequestsNeedSecret();
    if (sent.get('request_uri') !== undefined) throw oauthErrors.invalidParameter({ name: 'request_uri' });
    const request = sent.get('request');
    if (request === undefined && client.requestObject?.isRequired) throw authorizeErrors.requestObjectRequired();
    const values =
      request === undefined
        ? withoutCredentials(sent.all, client.clientId)
        : await parts.readRequestObject(request, { tenantId: tenant.tenantId, client, origin });
    const form = formOf(values);
    await checks.authorizationRequest(tenant, await checks.returnAddress(tenant, form), form);
    readExtensions(values, MOST_PUSHED_EXTENSIONS);
    return values;
  }
}

function isPublic(client: Client): boolean {
  return client.tokenEndpointAuthMethod === 'none';
}

function withoutCredentials(values: Values, clientId: string): Values {
  const kept = Object.entries(values).filter(([name]) => !CREDENTIALS.has(name));
  return { ...Object.fromEntries(kept), client_id: clientId };
}

/** What /authorize tells on a page has names of ours; here it is an OAuth error like the others (RFC 9126 section 2.3). */
function toRefusal(error: DeclaredError): DeclaredError {
  return error.code?.includes('-')
    ? authorizeErrors.invalidRequest({ reason: error.message }, { cause: error })
    : error;
}
