import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import type { VerifyJwt } from '../../keys/verify-jwt.ts';
import { defineErrors } from '../../kit/errors.ts';
import { textOf } from '../../kit/json-values.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import type { User } from '../../users/user.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { bodyParameters, queryParameters } from '../parameters.ts';
import { profileClaims } from '../tokens/profile-claims.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly verifyJwt: VerifyJwt;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
}

const tokeninfoErrors = defineErrors({
  retired: { status: 400, code: 'invalid_request', message: 'OIDC conformant clients cannot use /tokeninfo' },
});
const EVERYTHING = ['profile', 'email', 'phone', 'created_at', 'identities'];

/** GET and POST /tokeninfo: whom an ID token is about, for tenants whose flag opens it (authentication-api section 6). */
export function tokeninfoRoutes(app: FastifyInstance, parts: Parts): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/tokeninfo',
    config: { errors: 'oauth' },
    handler: async (request, reply) => {
      if (!settingsOf(request.tenant).flags.allow_legacy_tokeninfo_endpoint) throw tokeninfoErrors.retired();
      const parameters = request.method === 'GET' ? queryParameters(request) : bodyParameters(request);
      const found = await find(request, parameters.require('id_token'));
      if (!found) throw oauthErrors.unauthorized();
      const { client, user } = found;
      const { sub: _sub, ...claims } = profileClaims(user, EVERYTHING);
      return reply
        .header('cache-control', 'no-store')
        .send({ ...claims, user_id: user.userId, clientID: client.clientId });
    },
  });

  /** Our own signature alone: with HS256 the application itself could make a token about any user. */
  async function find({ tenant }: FastifyRequest, token: string): Promise<{ client: Client; user: User } | undefined> {
    const { tenantId } = tenant;
    // Unlike a hint's, this token's time counts: it opens a profile.
    const result = await parts.verifyJwt(tenantId, token, { typ: 'JWT' });
    if (!result.valid || !parts.isIssuer(tenant, textOf(result.claims.iss) ?? '')) return undefined;
    const { aud, sub } = result.claims;
    const client = await parts.findClient(tenantId, textOf(aud) ?? '');
    const user = client && (await parts.findUser(tenantId, textOf(sub) ?? ''));
    return client && user && !user.blocked ? { client, user } : undefined;
  }
}
