import { randomAlphanumeric } from '../../kit/ids.ts';
import type { ResourceServer } from '../../resource-servers/resource-server.ts';

import type { Confirmation } from '../possession/possession.ts';

export interface AccessTokenSubject {
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly api: ResourceServer;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly permissions: readonly string[] | undefined;
  /** The key without which the token opens nothing. */
  readonly confirmation: Confirmation | undefined;
  /** The way that the token was got (`gty`); left out for codes. */
  readonly grantType?: string | readonly string[];
  /** The token grant that /userinfo looks up; machines have none. */
  readonly grantId?: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly lifetimeInSeconds: number;
  /** Claims of tenant code; ours come after them. */
  readonly custom?: Readonly<Record<string, unknown>> | undefined;
  /** Who acts for the user (RFC 8693 section 4.1). */
  readonly actor?: Readonly<Record<string, unknown>> | undefined;
}

export interface Jwt {
  readonly payload: Record<string, unknown>;
  readonly typ: 'JWT' | 'at+jwt';
}

/** Claims of a JWT access token in the dialect of its API (authentication-api section 15; rfc9068_profile is RFC 9068). */
export function accessTokenClaims(token: AccessTokenSubject): Jwt {
  const { api, scopes } = token;
  const withUserinfo = scopes.includes('openid') && api.signingAlg === 'RS256';
  const isRfc9068 = api.tokenDialect.startsWith('rfc9068_profile');
  const listsPermissions = api.enforcePolicies && api.tokenDialect.endsWith('_authz');
  return {
    typ: isRfc9068 ? 'at+jwt' : 'JWT',
    payload: {
      ...token.custom,
      iss: token.issuer,
      sub: token.subject,
      aud: withUserinfo ? [token.audience, `${token.issuer}userinfo`] : token.audience,
      iat: token.issuedAt,
      exp: token.issuedAt + token.lifetimeInSeconds,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...(isRfc9068
        ? { client_id: token.clientId }
        : { azp: token.clientId, ...(token.grantType && { gty: token.grantType }) }),
      jti: tokenId(token.grantId),
      ...(token.confirmation && { cnf: token.confirmation }),
      ...(token.actor && { act: token.actor }),
      ...(listsPermissions && { permissions: token.permissions ?? [] }),
    },
  };
}

/** A JWT's id names the token grant that it came from, so that /userinfo can refuse what was revoked, without storing the token. */
export function tokenId(grantId: string | undefined): string {
  return grantId ? `${grantId}.${randomAlphanumeric(16)}` : randomAlphanumeric(24);
}

export function grantIdOf(jti: unknown): string | undefined {
  return typeof jti === 'string' && jti.includes('.') ? jti.slice(0, jti.indexOf('.')) : undefined;
}
