import { checkTexts, checkWebAddress } from '../options/check-options.ts';
import { callService, type Fetch } from './call-service.ts';
import { createDiscovery } from './discovery.ts';
import { refused, verdictOfClaims } from './verdict-of-claims.ts';
import { ServiceAwayError, type VerifyToken } from './verify-token.ts';

export interface IntrospectionOptions {
  readonly issuer: string;
  readonly audience: string;
  /** A client that may introspect tokens of this API; it authenticates by client_secret_post. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Found by discovery unless said. */
  readonly endpoint?: string;
  readonly fetch?: Fetch;
}

/** Asks the authorization server by RFC 7662. */
export function byIntrospection(options: IntrospectionOptions): VerifyToken {
  checkWebAddress('issuer', options.issuer);
  checkTexts(options, ['audience', 'clientId', 'clientSecret']);
  const { clientId, clientSecret, fetch = globalThis.fetch } = options;
  const discover = createDiscovery({ issuer: options.issuer, fetch });
  return async (token, signal) => {
    const endpoint = options.endpoint ?? (await discover('introspection_endpoint'));
    const { status, body } = await callService(fetch, endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        token,
        token_type_hint: 'access_token',
        client_id: clientId,
        client_secret: clientSecret,
      }),
      signal,
    });
    if (status !== 200 || typeof body?.active !== 'boolean')
      throw new ServiceAwayError(`${endpoint} answered ${status}${status === 200 ? ' with no verdict' : ''}.`);
    if (!body.active) return refused('unknown');
    // A refresh token is active too (section 2.2 knows both), and has no token type: it must not pass for an access token.
    if (String(body.token_type).toLowerCase() !== 'bearer') return refused('unknown');
    return verdictOfClaims(body, options);
  };
}
