import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Client, isPublic } from '../../clients/client.ts';
import type { VerifyJwt } from '../../keys/verify-jwt.ts';
import { digest } from '../../kit/digest.ts';
import { textOf } from '../../kit/json-values.ts';
import { isNamespaced } from '../../pipeline/custom-claims.ts';
import type { ClaimAdditions } from '../../pipeline/outcome.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import { parseScope } from '../access/scope.ts';
import { type CheckPresenter, dpopChallenge, type PresenterFault } from '../possession/check-presenter.ts';
import { type Confirmation, readConfirmation } from '../possession/possession.ts';
import { grantIdOf } from '../tokens/access-token.ts';
import { profileClaims } from '../tokens/profile-claims.ts';
import { userOfLogin } from '../tokens/user-of-login.ts';
import { presentedToken } from './presented-token.ts';

interface Parts {
  readonly verifyJwt: VerifyJwt;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
  readonly findAccessToken: (tenantId: string, tokenHash: string, now: Date) => Promise<Access | undefined>;
  readonly findLivingGrant: (tenantId: string, grantId: string) => Promise<Pick<Access, 'additions'> | undefined>;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly checkPresenter: CheckPresenter;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly now: () => Date;
}

interface Access {
  readonly userId: string;
  readonly clientId: string;
  readonly scope: string;
  /** False where the token is bound to something that we don't know. */
  readonly confirmation: Confirmation | undefined | false;
  /** What tenant code added to the login. */
  readonly additions: ClaimAdditions | undefined;
}

const CHALLENGE = 'Bearer realm="Users", error="invalid_token", error_description="{reason}"';
const EXPOSED_HEADERS = 'WWW-Authenticate, DPoP-Nonce';

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
        'access-control-expose-headers': EXPOSED_HEADERS,
        'cache-control': 'no-store',
      });
      const presented = presentedToken(request);
      if (presented === undefined) return refuse(reply, undefined);
      const access = await find(request.tenant, presented.token);
      if (access === 'expired') return refuse(reply, 'The token has expired');
      if (!access) return refuse(reply, 'The access token is invalid, expired or was revoked');
      const fault = await presenterFault(request, reply, presented, access);
      if (fault) return refuse(reply, fault.description, fault);
      const user = await parts.findUser(request.tenant.tenantId, access.userId);
      if (!user || user.blocked) return refuse(reply, 'The user of the access token may not log in');
      const scopes = parseScope(access.scope);
      if (!scopes.includes('openid')) return refuse(reply, 'The access token lacks the scope openid');
      const told = userOfLogin(user, access.additions);
      return reply.send({ ...namespacedClaims(access.additions), sub: user.userId, ...profileClaims(told, scopes) });
    },
  });

  /** Whoever sends a bearer token that is bound to nothing is asked for nothing more. */
  async function presenterFault(
    request: FastifyRequest,
    reply: FastifyReply,
    presented: { scheme: 'Bearer' | 'DPoP'; token: string },
    { clientId, confirmation }: Access,
  ): Promise<PresenterFault | undefined> {
    if (confirmation === undefined && presented.scheme === 'Bearer') return undefined;
    const client = await parts.findClient(request.tenant.tenantId, clientId);
    const isPublicClient = client === undefined || isPublic(client);
    return parts.checkPresenter(request, reply, { ...presented, confirmation, isPublicClient });
  }

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
    const grant = grantId === undefined ? undefined : await parts.findLivingGrant(tenant.tenantId, grantId);
    if (grantId !== undefined && !grant) return undefined;
    return {
      userId: claims.sub,
      clientId: textOf(claims.azp) ?? textOf(claims.client_id) ?? '',
      scope: textOf(claims.scope) ?? '',
      confirmation: readConfirmation(claims.cnf),
      additions: grant?.additions,
    };
  }
}

/** What tenant code put into the ID token under a name of its own. */
function namespacedClaims(additions: ClaimAdditions | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(additions?.idToken ?? {}).filter(([name]) => isNamespaced(name)));
}

/** Auth0 answers the twelve bytes "Unauthorized" without a content type. */
function refuse(reply: FastifyReply, reason: string | undefined, fault?: PresenterFault): FastifyReply {
  const bearer = reason ? CHALLENGE.replace('{reason}', reason) : 'Bearer realm="Users"';
  return reply
    .code(401)
    .header('www-authenticate', fault ? dpopChallenge(fault, 'Users') : bearer)
    .removeHeader('content-type')
    .send(Buffer.from('Unauthorized'));
}
