import { digest } from '../../kit/digest.ts';
import { randomSecret } from '../../kit/ids.ts';
import { explained } from '../../logs/explain-error.ts';
import { bytesOf, MOST_ADDRESS_CLAIM_BYTES } from '../../pipeline/custom-claims.ts';
import type { Additions } from '../../pipeline/outcome.ts';
import { pipelineErrors } from '../../pipeline/pipeline-errors.ts';
import type { Session } from '../../sessions/session.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import { replaceScopes, tokenScopesOf } from '../access/replace-scopes.ts';
import type { AccessResolver, Target, UserAccess } from '../access/resolve-access.ts';
import { parseScope } from '../access/scope.ts';
import { confirmAccess } from '../possession/confirm-access.ts';
import { NOTHING_PROVEN } from '../possession/possession.ts';
import { accessTokenClaims } from '../tokens/access-token.ts';
import { idTokenClaims } from '../tokens/id-token.ts';
import type { SignToken } from '../tokens/sign-token.ts';
import type { NewAccessToken } from '../tokens/token-grant-store.ts';
import { tokenHash } from '../tokens/token-hash.ts';
import { userOfLogin } from '../tokens/user-of-login.ts';
import type { AuthorizationRequest } from './authorization-request.ts';

interface Parts {
  readonly access: Pick<AccessResolver, 'forUser'>;
  readonly signToken: SignToken;
}

export interface FrontChannelRequest {
  readonly tenant: Tenant;
  readonly origin: string;
  readonly request: AuthorizationRequest;
  readonly session: Session;
  readonly user: User;
  readonly grantId: string;
  /** The code that is answered beside the tokens (hybrid flow). */
  readonly code: string | undefined;
  readonly now: Date;
  /** What tenant code adds. */
  readonly additions?: Additions | undefined;
}

/** Tokens of the implicit and hybrid flows, about to be issued: what to store with them, and the signing beside the transaction. */
export interface FrontChannelTokens {
  /** What was granted, space-separated. */
  readonly scope: string;
  readonly opaque: NewAccessToken | undefined;
  sign(): Promise<Readonly<Record<string, string>>>;
}

/** Opaque tokens that come through the browser live for two hours (authentication-api section 15). */
const OPAQUE_LIFETIME_SECONDS = 7_200;
const NO_API: Target = { api: undefined, audience: undefined };

/** OpenID Connect Core sections 3.2.2.5 and 3.3.2.5. There is never a refresh token among them (RFC 6749 section 4.2.2). */
export function createFrontChannelTokens({ access, signToken }: Parts) {
  return async function prepare(wanted: FrontChannelRequest): Promise<FrontChannelTokens> {
    const { tenant, request, user, grantId, now } = wanted;
    checkLength(wanted);
    const { responseType } = request;
    const asked = parseScope(request.scope);
    const allowed = await access.forUser(
      tenant,
      request.client,
      user.userId,
      responseType.token ? request.target : NO_API,
      asked.filter((value) => value !== 'offline_access').join(' '),
    );
    const granted = replaceScopes(allowed, wanted.additions?.scopes);
    const scope = tokenScopesOf(granted).join(' ');
    // Nothing is proven in a browser's address: where tokens must be bound to a key, they come from the token endpoint alone.
    if (responseType.token) confirmAccess(request.client, granted.api, NOTHING_PROVEN);
    const lifetime = granted.api?.tokenLifetimeForWeb ?? OPAQUE_LIFETIME_SECONDS;
    const opaqueToken = responseType.token && !granted.api ? randomSecret() : undefined;
    return {
      scope,
      opaque:
        opaqueToken === undefined
          ? undefined
          : {
              tokenHash: digest(opaqueToken),
              grantId,
              scope,
              confirmation: undefined,
              expiresAt: new Date(now.getTime() + lifetime * 1000),
            },
      async sign() {
        const accessToken = responseType.token
          ? (opaqueToken ?? (await signAccessToken(wanted, granted, lifetime)))
          : undefined;
        return {
          ...(accessToken !== undefined && {
            access_token: accessToken,
            token_type: 'Bearer',
            expires_in: String(lifetime),
            ...(isOther(tokenScopesOf(granted), asked) && { scope }),
          }),
          // After the access token, since the ID token names it by its hash.
          ...(responseType.idToken && { id_token: await signIdToken(wanted, granted, accessToken) }),
        };
      },
    };
  };

  function signAccessToken(
    { tenant, origin, request, user, grantId, now, additions }: FrontChannelRequest,
    granted: UserAccess,
    lifetimeInSeconds: number,
  ): Promise<string> {
    const { api, audience, permissions } = granted;
    if (!api || audience === undefined) throw new Error('An access token without an audience is opaque.');
    const { payload, typ } = accessTokenClaims({
      issuer: `${origin}/`,
      subject: user.userId,
      clientId: request.client.clientId,
      api,
      audience,
      scopes: tokenScopesOf(granted),
      permissions,
      confirmation: undefined,
      grantId,
      issuedAt: seconds(now),
      lifetimeInSeconds,
      custom: additions?.accessToken,
    });
    return signToken.forApi(tenant.tenantId, api, payload, typ);
  }

  function signIdToken(
    { tenant, origin, request, session, user, code, now, additions }: FrontChannelRequest,
    { scopes }: UserAccess,
    accessToken: string | undefined,
  ): Promise<string> {
    const { alg } = request.client.jwtConfiguration;
    const claims = idTokenClaims({
      issuer: `${origin}/`,
      client: request.client,
      user: userOfLogin(user, additions),
      custom: additions?.idToken,
      scopes,
      issuedAt: seconds(now),
      sessionId: session.sessionId,
      authTime: seconds(session.authenticatedAt),
      ...(request.nonce !== undefined && { nonce: request.nonce }),
      ...(accessToken !== undefined && { accessTokenHash: tokenHash(alg, accessToken) }),
      ...(code !== undefined && { codeHash: tokenHash(alg, code) }),
    });
    return signToken.forClient(tenant.tenantId, request.client, claims);
  }
}

/** An address of 100 kB ends at the first proxy: better a refusal than an answer that never arrives. */
function checkLength({ request: { responseMode }, additions }: FrontChannelRequest): void {
  const isInAddress = responseMode === 'fragment' || responseMode === 'query';
  const size = bytesOf([additions?.idToken, additions?.accessToken, additions?.profile]);
  if (!isInAddress || size <= MOST_ADDRESS_CLAIM_BYTES) return;
  const reason = `tokens in an address may carry ${MOST_ADDRESS_CLAIM_BYTES} bytes of claims, and these are ${size}`;
  throw explained(pipelineErrors.claimsTooLarge(), { reason });
}

export type PrepareFrontChannelTokens = ReturnType<typeof createFrontChannelTokens>;

/** The scope is told where it is not the one that was asked for (RFC 6749 section 4.2.2). */
function isOther(granted: readonly string[], asked: readonly string[]): boolean {
  return granted.length !== asked.length || asked.some((value) => !granted.includes(value));
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
