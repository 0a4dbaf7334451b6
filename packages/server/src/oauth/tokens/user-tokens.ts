import type { Client } from '../../clients/client.ts';
import { digest } from '../../kit/digest.ts';
import { randomSecret } from '../../kit/ids.ts';
import type { ClaimAdditions } from '../../pipeline/outcome.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import { tokenScopesOf } from '../access/replace-scopes.ts';
import type { UserAccess } from '../access/resolve-access.ts';
import { confirmAccess } from '../possession/confirm-access.ts';
import { type Confirmation, type Possession, tokenTypeOf } from '../possession/possession.ts';
import { accessTokenClaims } from './access-token.ts';
import { idTokenClaims } from './id-token.ts';
import type { SignToken } from './sign-token.ts';
import type { NewAccessToken } from './token-grant-store.ts';
import { userOfLogin } from './user-of-login.ts';

export interface TokenResponse {
  access_token: string;
  id_token?: string;
  refresh_token?: string;
  scope?: string;
  expires_in: number;
  token_type: 'Bearer' | 'DPoP';
}

export interface UserTokenRequest {
  readonly tenant: Tenant;
  readonly origin: string;
  readonly client: Client;
  readonly user: User;
  readonly access: UserAccess;
  /** The token grant that everything comes of. */
  readonly grantId: string;
  readonly gty?: string | readonly string[];
  readonly now: Date;
  readonly sessionId?: string;
  readonly nonce?: string;
  readonly authTime?: Date;
  readonly refreshToken?: string;
  /** Keys that the request for these tokens proved to hold; NOTHING_PROVEN where it could prove none. */
  readonly possession: Possession;
  /** What tenant code adds. */
  readonly additions?: ClaimAdditions | undefined;
}

/** Tokens about to be issued: what has to be stored with them, and the signing, which runs beside the transaction. */
export interface PreparedTokens {
  /** Set where the access token is opaque; its grant must be stored as well. */
  readonly opaque: NewAccessToken | undefined;
  sign(): Promise<TokenResponse>;
}

/** Opaque tokens live for a fixed day (authentication-api section 15). */
const OPAQUE_LIFETIME_SECONDS = 86_400;

/** Prepares the tokens of a user: the access token in the form that its audience asks for, and an ID token with `openid`. */
export function createUserTokens({ signToken }: { signToken: SignToken }) {
  return function prepare(request: UserTokenRequest): PreparedTokens {
    const { access, now, client, possession } = request;
    const confirmation = confirmAccess(client, access.api, possession);
    const lifetime = access.api?.tokenLifetime ?? OPAQUE_LIFETIME_SECONDS;
    const opaqueToken = access.api ? undefined : randomSecret();
    const scope = tokenScopesOf(access).join(' ');
    return {
      opaque:
        opaqueToken === undefined
          ? undefined
          : {
              tokenHash: digest(opaqueToken),
              grantId: request.grantId,
              scope,
              confirmation,
              expiresAt: new Date(now.getTime() + lifetime * 1000),
            },
      async sign() {
        const [accessToken, idToken] = await Promise.all([
          opaqueToken ?? signAccessToken(request, lifetime, confirmation),
          access.scopes.includes('openid') ? signIdToken(request) : undefined,
        ]);
        return {
          access_token: accessToken,
          ...(request.refreshToken && { refresh_token: request.refreshToken }),
          ...(idToken && { id_token: idToken }),
          ...(scope && { scope }),
          expires_in: lifetime,
          token_type: tokenTypeOf(confirmation),
        };
      },
    };
  };

  function signAccessToken(
    { tenant, origin, client, user, access, grantId, gty, now, additions }: UserTokenRequest,
    lifetimeInSeconds: number,
    confirmation: Confirmation | undefined,
  ): Promise<string> {
    const { api, audience } = access;
    if (!api || audience === undefined)
      throw new Error('An access token without an audience is opaque and is not signed.');
    const { payload, typ } = accessTokenClaims({
      issuer: `${origin}/`,
      subject: user.userId,
      clientId: client.clientId,
      api,
      audience,
      scopes: tokenScopesOf(access),
      permissions: access.permissions,
      confirmation,
      ...(gty && { grantType: gty }),
      grantId,
      issuedAt: seconds(now),
      lifetimeInSeconds,
      custom: additions?.accessToken,
      actor: additions?.actor,
    });
    return signToken.forApi(tenant.tenantId, api, payload, typ);
  }

  function signIdToken({
    tenant,
    origin,
    client,
    user,
    access,
    now,
    sessionId,
    nonce,
    authTime,
    additions,
  }: UserTokenRequest): Promise<string> {
    const claims = idTokenClaims({
      issuer: `${origin}/`,
      client,
      user: userOfLogin(user, additions),
      custom: additions?.idToken,
      actor: additions?.actor,
      scopes: access.scopes,
      issuedAt: seconds(now),
      ...(sessionId && { sessionId }),
      ...(nonce !== undefined && { nonce }),
      ...(authTime && { authTime: seconds(authTime) }),
    });
    return signToken.forClient(tenant.tenantId, client, claims);
  }
}

export type PrepareUserTokens = ReturnType<typeof createUserTokens>;

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
