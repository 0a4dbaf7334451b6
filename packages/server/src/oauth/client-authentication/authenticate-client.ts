import type { FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import type { ClientCertificate } from '../../http/client-certificate.ts';
import { equalSecrets } from '../../kit/digest.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { Parameters } from '../parameters.ts';
import { isRegisteredCertificate } from './client-certificate.ts';
import type { VerifyAssertion } from './private-key-jwt.ts';
import { BASIC_CHALLENGE, readCredentials } from './read-credentials.ts';

export interface ClientRequest {
  readonly tenant: Tenant;
  readonly origin: string;
  /** Another one where the request came to the host that asks for certificates (RFC 8705 section 5). */
  readonly askedOrigin: string;
  readonly parameters: Parameters;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

/** What client authentication looks at in a request of any endpoint. */
export function clientRequest(request: FastifyRequest, parameters: Parameters): ClientRequest {
  const { tenant, origin, askedOrigin, headers, clientCertificate } = request;
  return {
    tenant,
    origin,
    askedOrigin,
    parameters,
    authorization: headers.authorization,
    certificate: clientCertificate,
  };
}

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly verifyAssertion: VerifyAssertion;
  readonly now: () => Date;
}

export type AuthenticateClient = ReturnType<typeof createClientAuthentication>;

/**
 * Finds out which client speaks (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2). A registered method is enforced (PWD.13);
 * post and basic stand for each other only where none was ever registered.
 */
export function createClientAuthentication({ findClient, verifyAssertion, now }: Parts) {
  return async function authenticateClient(request: ClientRequest): Promise<Client> {
    const credentials = readCredentials(request.authorization, request.parameters);
    const challenge = credentials.method === 'client_secret_basic' ? BASIC_CHALLENGE : {};
    const client = await findClient(request.tenant.tenantId, credentials.clientId);
    if (!client || client.isGlobal) throw oauthErrors.unauthorized({}, challenge);
    const keys = client.privateKeyCredentials;
    if (credentials.method === 'private_key_jwt') {
      if (keys === undefined) throw oauthErrors.invalidClient();
      await verifyAssertion(request, client, credentials.assertion);
      return client;
    }
    if (client.tlsCredentials !== undefined && credentials.method === 'none') {
      if (!isRegisteredCertificate(client.tlsCredentials, request.certificate, now()))
        throw oauthErrors.invalidClient();
      return client;
    }
    if (keys !== undefined || client.tlsCredentials !== undefined) throw oauthErrors.invalidClient({}, challenge);
    const registered = client.tokenEndpointAuthMethod;
    if (registered !== undefined && registered !== credentials.method)
      throw registered === 'none' || credentials.method === 'none'
        ? oauthErrors.unauthorized({}, challenge)
        : oauthErrors.invalidClient({}, challenge);
    if (credentials.method === 'none') {
      if (registered === 'none') return client;
      throw oauthErrors.unauthorized();
    }
    if (client.secret === undefined || !equalSecrets(credentials.secret, client.secret))
      throw oauthErrors.unauthorized({}, challenge);
    return client;
  };
}
