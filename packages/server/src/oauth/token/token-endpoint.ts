import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { aboutOf, descriptionOf, explanationOf } from '../../logs/explain-error.ts';
import { type AuthenticateClient, clientRequest } from '../client-authentication/authenticate-client.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { bodyParameters, type Parameters } from '../parameters.ts';
import type { ProvePossession } from '../possession/prove-possession.ts';
import type { TokenResponse } from '../tokens/user-tokens.ts';
import { exchangeEvent, type Grant, isRecorded } from './token-grant.ts';

interface Parts {
  readonly grants: readonly Grant[];
  readonly authenticateClient: AuthenticateClient;
  readonly provePossession: ProvePossession;
  readonly recordAlone: RecordEvent;
}

const MAX_BODY_BYTES = 65_536;
const MAX_NAME = 128;
const MAX_USER_NAME = 256;

/** POST /oauth/token (RFC 6749 section 3.2, authentication-api section 3). */
export function tokenEndpoint(
  app: FastifyInstance,
  { grants, authenticateClient, provePossession, recordAlone }: Parts,
): void {
  const byType = new Map(grants.flatMap((grant) => grant.grantTypes.map((type) => [type, grant] as const)));

  app.post('/oauth/token', { config: { errors: 'oauth' }, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const parameters = bodyParameters(request);
    const grantType = parameters.require('grant_type');
    const grant = byType.get(grantType);
    if (!grant) throw oauthErrors.unsupportedGrantType({ grantType: grantType.slice(0, MAX_NAME) });
    const response = await exchange(request, reply, parameters, grantType, grant);
    // RFC 6749 section 5.1: neither a token nor an answer that bears one may be kept by a cache.
    return reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' }).send(response);
  });

  async function exchange(
    request: FastifyRequest,
    reply: FastifyReply,
    parameters: Parameters,
    grantType: string,
    grant: Grant,
  ): Promise<TokenResponse> {
    const { tenant, origin, requester } = request;
    let client: Client | undefined;
    try {
      client = await authenticateClient(clientRequest(request, parameters));
      if (!grant.isOpenToEveryClient && !client.grantTypes.includes(grantType))
        throw oauthErrors.grantNotAllowed({ grantType });
      const possession = await provePossession(request, reply, client);
      return await grant.exchange({ tenant, origin, requester, client, parameters, grantType, possession });
    } catch (error) {
      if (error instanceof DeclaredError && error.status !== 503 && !isRecorded(error)) {
        const unknownClientId = parameters.get('client_id')?.slice(0, MAX_NAME);
        const userName =
          grant.failed === 'passwordExchangeFailed' && parameters.get('username')?.slice(0, MAX_USER_NAME);
        await recordAlone(tenant.tenantId, {
          ...(client
            ? exchangeEvent({ requester, client })
            : { ...requester, ...(unknownClientId && { clientId: unknownClientId }) }),
          type: grant.failed,
          description: descriptionOf(error),
          ...(userName && { userName }),
          ...aboutOf(error),
          ...(parameters.get('audience') && { audience: parameters.get('audience')?.slice(0, 512) ?? '' }),
          details: { error: { message: descriptionOf(error), oauthError: error.code }, ...explanationOf(error) },
        });
      }
      throw error;
    }
  }
}
