import { decodeJwt } from 'jose';
import { checkTexts, checkWebAddress } from '../options/check-options.ts';
import { callService, type Fetch } from './call-service.ts';
import { createDiscovery } from './discovery.ts';
import { type Claims, refused, userOf, verdictOfClaims } from './verdict-of-claims.ts';
import { ServiceAwayError, type VerifyToken } from './verify-token.ts';

export interface UserinfoOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Found by discovery unless said. */
  readonly endpoint?: string;
  readonly fetch?: Fetch;
}

/**
 * Asks the issuer's /userinfo with the token itself: Auth0 has no introspection. For users' tokens with the scope openid. An
 * opaque token names no API, so it may have been given for another one: it is refused.
 */
export function byUserinfo(options: UserinfoOptions): VerifyToken {
  checkWebAddress('issuer', options.issuer);
  checkTexts(options, ['audience']);
  const { fetch = globalThis.fetch } = options;
  const discover = createDiscovery({ issuer: options.issuer, fetch });
  return async (token, signal) => {
    const claims = unverifiedClaims(token);
    if (!claims) return refused('audience');
    // Issuer and audience first: a token of somewhere else is not shown around.
    if (claims.iss !== options.issuer) return refused('issuer');
    const verdict = verdictOfClaims(claims, options);
    if (!verdict.active) return verdict;
    const endpoint = options.endpoint ?? (await discover('userinfo_endpoint'));
    const { status, body } = await callService(fetch, endpoint, {
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
    if (status === 400 || status === 401 || status === 403) return refused('unknown');
    if (status !== 200 || !body) throw new ServiceAwayError(`${endpoint} answered ${status}.`);
    // OpenID Connect Core section 5.3.2. What the token itself says counts from here on: its issuer took it as it is.
    if (body.sub !== verdict.user.sub) return refused('unknown');
    return { ...verdict, user: { ...userOf(body, verdict.user.sub), ...verdict.user } };
  };
}

function unverifiedClaims(token: string): Claims | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}
