import type { FastifyInstance } from 'fastify';
import { isPublic } from '../../clients/client.ts';
import { type AuthenticateClient, clientRequest } from '../client-authentication/authenticate-client.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { bodyParameters } from '../parameters.ts';
import type { DescribeToken } from './describe-token.ts';

interface Parts {
  readonly authenticateClient: AuthenticateClient;
  readonly describeToken: DescribeToken;
}

/** POST /oauth/introspect (RFC 7662): what a token is good for now. Who may ask about which: decision 0016. */
export function introspectionRoutes(app: FastifyInstance, { authenticateClient, describeToken }: Parts): void {
  app.post('/oauth/introspect', { config: { errors: 'oauth' }, bodyLimit: 65_536 }, async (request, reply) => {
    const parameters = bodyParameters(request);
    const client = await authenticateClient(clientRequest(request, parameters));
    // Anybody can use a public client's id, and could try tokens out (section 2.1).
    if (isPublic(client)) throw oauthErrors.invalidClient();
    // The hint says where to look first (section 2.1); a token's form tells that already.
    const token = parameters.require('token');
    const described = await describeToken({ tenant: request.tenant, origin: request.origin, client, token });
    return reply
      .header('cache-control', 'no-store')
      .send(described ? { active: true, ...described } : { active: false });
  });
}
