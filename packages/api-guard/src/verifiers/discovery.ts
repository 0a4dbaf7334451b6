import { callService, type Fetch } from './call-service.ts';
import { ServiceAwayError } from './verify-token.ts';

export type Discover = (endpoint: Endpoint) => Promise<string>;
type Endpoint = 'jwks_uri' | 'userinfo_endpoint' | 'introspection_endpoint' | 'token_endpoint' | 'revocation_endpoint';

const FRESH_MS = 600_000;
const DEADLINE_MS = 5_000;
/** Of what the server says in a message, which may end in a log at each request. */
const LONGEST_NAME = 200;

/** Endpoints of an issuer, by OpenID Connect Discovery. An answer is kept for ten minutes, and longer while there is no other. */
export function createDiscovery({ issuer, fetch }: { readonly issuer: string; readonly fetch: Fetch }): Discover {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let known: { readonly metadata: Readonly<Record<string, unknown>>; readonly at: number } | undefined;
  let asking: Promise<Readonly<Record<string, unknown>>> | undefined;

  return async (endpoint) => {
    const metadata = known && performance.now() - known.at < FRESH_MS ? known.metadata : await askAgain();
    const found = metadata[endpoint];
    if (typeof found !== 'string') throw new ServiceAwayError(`${url} names no ${endpoint}.`);
    // Who can change the answer of an encrypted issuer can do anything, but a mistake must not send secrets in clear.
    if (issuer.startsWith('https:') && !found.startsWith('https:'))
      throw new ServiceAwayError(`${url} names a ${endpoint} without encryption.`);
    return found;
  };

  async function askAgain() {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    try {
      return await asking;
    } catch (error) {
      if (known) return known.metadata;
      throw error;
    }
  }

  async function ask() {
    const { status, body } = await callService(fetch, url, { signal: AbortSignal.timeout(DEADLINE_MS) });
    if (status !== 200 || !body) throw new ServiceAwayError(`${url} answered ${status}.`);
    // OpenID Connect Discovery section 4.3: another issuer's metadata is somebody else's keys.
    if (body.issuer !== issuer)
      throw new ServiceAwayError(
        `${url} is of the issuer ${JSON.stringify(String(body.issuer).slice(0, LONGEST_NAME))}, not ${JSON.stringify(issuer)}.`,
      );
    known = { metadata: body, at: performance.now() };
    return body;
  }
}
