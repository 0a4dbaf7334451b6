import type { Client } from '../../clients/client.ts';
import type { User } from '../../users/user.ts';
import { profileClaims } from './profile-claims.ts';

export interface IdTokenSubject {
  readonly issuer: string;
  readonly client: Client;
  readonly user: User;
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  readonly nonce?: string;
  /** Set when max_age was asked for or the user logged in anew (OpenID Connect Core section 2). */
  readonly authTime?: number;
  readonly sessionId?: string;
  /** `at_hash` and `c_hash`: what came through the browser beside the token (OpenID Connect Core section 3.3.2.11). */
  readonly accessTokenHash?: string;
  readonly codeHash?: string;
  /** Claims of tenant code: it may tell a profile in its own way, and nothing else that we tell. */
  readonly custom?: Readonly<Record<string, unknown>> | undefined;
  /** Who acts for the user (RFC 8693 section 4.1). */
  readonly actor?: Readonly<Record<string, unknown>> | undefined;
}

/** Claims of an ID token: OpenID Connect Core section 2, authentication-api section 15. */
export function idTokenClaims(token: IdTokenSubject): Record<string, unknown> {
  return {
    ...profileClaims(token.user, token.scopes),
    ...token.custom,
    iss: token.issuer,
    sub: token.user.userId,
    aud: token.client.clientId,
    iat: token.issuedAt,
    exp: token.issuedAt + token.client.jwtConfiguration.lifetimeInSeconds,
    ...(token.authTime !== undefined && { auth_time: token.authTime }),
    ...(token.sessionId && { sid: token.sessionId }),
    ...(token.nonce !== undefined && { nonce: token.nonce }),
    ...(token.accessTokenHash && { at_hash: token.accessTokenHash }),
    ...(token.codeHash && { c_hash: token.codeHash }),
    ...(token.actor && { act: token.actor }),
  };
}
