import type { FastifyInstance, FastifyRequest } from 'fastify';
import { decodeJwt } from 'jose';
import type { Client } from '../../clients/client.ts';
import { defineErrors } from '../../kit/errors.ts';
import { numberOf, textOf } from '../../kit/json-values.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import type { User } from '../../users/user.ts';
import type { ReadIdToken } from '../authorize/check-id-token-hint.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { bodyParameters, queryParameters } from '../parameters.ts';
import { profileClaims } from '../tokens/profile-claims.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly readIdToken: ReadIdToken;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
  readonly now: () => Date;
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

  async function find({ tenant }: FastifyRequest, token: string): Promise<{ client: Client; user: User } | undefined> {
    const client = await parts.findClient(tenant.tenantId, unverifiedAudience(token));
    const claims = client && (await parts.readIdToken(tenant.tenantId, client, token));
    // Unlike a hint's, this token's time counts: it opens a profile.
    if (!client || !claims || (numberOf(claims.exp) ?? 0) <= parts.now().getTime() / 1000) return undefined;
    if (claims.aud !== client.clientId || !parts.isIssuer(tenant, textOf(claims.iss) ?? '')) return undefined;
    const user = await parts.findUser(tenant.tenantId, textOf(claims.sub) ?? '');
    return user && !user.blocked ? { client, user } : undefined;
  }
}

function unverifiedAudience(token: string): string {
  try {
    return textOf(decodeJwt(token).aud) ?? '';
  } catch {
    return '';
  }
}
