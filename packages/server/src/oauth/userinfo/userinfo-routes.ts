import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FormBody } from '../../http/body-parsers.ts';
import type { VerifyJwt } from '../../keys/verify-jwt.ts';
import { digest } from '../../kit/digest.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import { parseScope } from '../access/scope.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { queryForm } from '../parameters.ts';
import { grantIdOf } from '../tokens/access-token.ts';
import { profileClaims } from '../tokens/profile-claims.ts';

interface Parts {
  readonly verifyJwt: VerifyJwt;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
  readonly findAccessToken: (
    tenantId: string,
    tokenHash: string,
    now: Date,
  ) => Promise<{ userId: string; scope: string } | undefined>;
  readonly isGrantAlive: (tenantId: string, grantId: string) => Promise<boolean>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly now: () => Date;
}

interface Access {
  readonly userId: string;
  readonly scope: string;
}

const CHALLENGE = 'Bearer realm="Users", error="invalid_token", error_description="{reason}"';
const SEVERAL_TOKENS = 'Bearer realm="Users", error="invalid_request"';
const MAX_TOKEN = 16_384;

/** GET and POST /userinfo: OpenID Connect Core section 5.3, RFC 6750, authentication-api sections 6 and 17. */
export function userinfoRoutes(app: FastifyInstance, parts: Parts): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/userinfo',
    config: { errors: 'oauth' },
    handler: async (request, reply) => {
      reply.headers({
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'false',
        'cache-control': 'no-store',
      });
      const token = bearerToken(request);
      if (token === undefined) return refuse(reply, undefined);
      const access = await find(request.tenant, token);
      if (access === 'expired') return refuse(reply, 'The token has expired');
      if (!access) return refuse(reply, 'The access token is invalid, expired or was revoked');
      const user = await parts.findUser(request.tenant.tenantId, access.userId);
      if (!user || user.blocked) return refuse(reply, 'The user of the access token may not log in');
      const scopes = parseScope(access.scope);
      if (!scopes.includes('openid')) return refuse(reply, 'The access token lacks the scope openid');
      return reply.send({ sub: user.userId, ...profileClaims(user, scopes) });
    },
  });

  async function find(tenant: Tenant, token: string): Promise<Access | 'expired' | undefined> {
    const isJwt = token.split('.').length === 3;
    return isJwt ? findJwt(tenant, token) : parts.findAccessToken(tenant.tenantId, digest(token), parts.now());
  }

  async function findJwt(tenant: Tenant, token: string): Promise<Access | 'expired' | undefined> {
    const result = await parts.verifyJwt(tenant.tenantId, token);
    if (!result.valid) return result.reason === 'expired' ? 'expired' : undefined;
    const { claims } = result;
    if (typeof claims.sub !== 'string' || typeof claims.iss !== 'string' || !parts.isIssuer(tenant, claims.iss))
      return undefined;
    const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
    // An ID token has the client as its audience and opens nothing here.
    if (
      !audiences.some(
        (audience) =>
          typeof audience === 'string' &&
          audience.endsWith('/userinfo') &&
          parts.isIssuer(tenant, audience.slice(0, -'userinfo'.length)),
      )
    )
      return undefined;
    const grantId = grantIdOf(claims.jti);
    if (grantId !== undefined && !(await parts.isGrantAlive(tenant.tenantId, grantId))) return undefined;
    return { userId: claims.sub, scope: typeof claims.scope === 'string' ? claims.scope : '' };
  }
}

/**
 * RFC 6750 section 2: the Authorization header, the form of a POST, or the query of a GET. RFC 9700 section 4.3.2 forbids
 * the last, but passport-auth0 knows no other way. We log no query; a proxy in front may.
 */
function bearerToken(request: FastifyRequest): string | undefined {
  const header = /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const form = request.body instanceof FormBody ? request.body.form : queryForm(request);
  const parameter = form.values.access_token;
  // One token, sent in one way (RFC 6750 section 2): whoever looks at one and serves by the other can be tricked.
  if ((header !== undefined && parameter !== undefined) || form.repeated.includes('access_token'))
    throw oauthErrors.severalTokens({}, { headers: { 'www-authenticate': SEVERAL_TOKENS } });
  const token = header ?? parameter;
  return token !== undefined && token.length <= MAX_TOKEN ? token : undefined;
}

/** Auth0 answers the twelve bytes "Unauthorized" without a content type. */
function refuse(reply: FastifyReply, reason: string | undefined): FastifyReply {
  return reply
    .code(401)
    .header('www-authenticate', reason ? CHALLENGE.replace('{reason}', reason) : 'Bearer realm="Users"')
    .removeHeader('content-type')
    .send(Buffer.from('Unauthorized'));
}
