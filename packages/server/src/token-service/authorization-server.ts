import { isObject, type Json, textsOf } from '../kit/json-values.ts';
import { parseJson } from '../kit/parse-json.ts';
import type { CallOut, OutgoingRequest } from '../outgoing/http-client.ts';
import { OutgoingError } from '../outgoing/outgoing-error.ts';
import { AwayError } from './away-error.ts';
import type { ServiceSettings } from './service-settings.ts';

export type AuthorizationServer = ReturnType<typeof createAuthorizationServer>;

interface Parts {
  readonly settings: Pick<ServiceSettings, 'issuer' | 'clientId' | 'clientSecret'>;
  readonly callOut: CallOut;
  /** Told of each call, how long it took and whether it was answered. */
  readonly observe: (call: {
    readonly endpoint: Endpoint;
    readonly seconds: number;
    readonly isAnswered: boolean;
  }) => void;
}

export type Endpoint = 'discovery' | 'introspection' | 'userinfo';
type Named = 'introspection_endpoint' | 'userinfo_endpoint';

const METADATA_FRESH_MS = 600_000;
const READY_FRESH_MS = 5_000;
const READY_DEADLINE_MS = 2_000;
const MOST_BYTES = 262_144;
/** Of what the server says in a message. */
const LONGEST_NAME = 200;

/** The server that issued the tokens. Whatever is no answer to the question is an AwayError. */
export function createAuthorizationServer({ settings, callOut, observe }: Parts) {
  const { issuer, clientId, clientSecret } = settings;
  const metadataUrl = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let known: { readonly metadata: Json; readonly at: number } | undefined;
  let asking: Promise<Json> | undefined;

  async function endpoint(name: Named): Promise<string> {
    const found = (await metadata())[name];
    if (typeof found !== 'string') throw new AwayError(`${metadataUrl} names no ${name}.`);
    // A mistake of the server must not send secrets in the clear.
    if (issuer.startsWith('https:') && !found.startsWith('https:'))
      throw new AwayError(`${metadataUrl} names a ${name} without encryption.`);
    return found;
  }

  async function metadata(): Promise<Json> {
    return discover(METADATA_FRESH_MS).catch((error) => {
      // An old answer is better than none: it leads to the server that is away, or back already.
      if (known) return known.metadata;
      throw error;
    });
  }

  async function discover(freshMilliseconds: number): Promise<Json> {
    if (known && performance.now() - known.at < freshMilliseconds) return known.metadata;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  async function ask(): Promise<Json> {
    const { status, body } = await call('discovery', { url: metadataUrl, timeoutMilliseconds: READY_DEADLINE_MS });
    if (status !== 200 || !body) throw new AwayError(`${metadataUrl} answered ${status}.`);
    // OpenID Connect Discovery section 4.3: another issuer's endpoints would be told our secret.
    if (body.issuer !== issuer)
      throw new AwayError(
        `${metadataUrl} is of the issuer ${JSON.stringify(String(body.issuer).slice(0, LONGEST_NAME))}, not ${JSON.stringify(issuer)}.`,
      );
    known = { metadata: body, at: performance.now() };
    return body;
  }

  async function call(endpoint: Endpoint, request: OutgoingRequest) {
    const began = performance.now();
    let isAnswered = false;
    try {
      const { status, headers, body } = await callOut({ ...request, mostBytes: MOST_BYTES });
      // A redirect could carry the secret elsewhere.
      if (status === 429 || status >= 500 || (status >= 300 && status < 400))
        throw new AwayError(`${request.url} answered ${status}.`, Number(headers['retry-after']) || undefined);
      isAnswered = true;
      return { status, body: objectIn(body) };
    } catch (cause) {
      if (cause instanceof OutgoingError) throw new AwayError(`${request.url}: ${cause.message}`);
      throw cause;
    } finally {
      observe({ endpoint, seconds: (performance.now() - began) / 1000, isAnswered });
    }
  }

  return {
    /** RFC 7662: what the token is good for, or undefined where it is none that this client is told of. */
    async introspect(token: string, signal: AbortSignal): Promise<Json | undefined> {
      const url = await endpoint('introspection_endpoint');
      const { status, body } = await call('introspection', {
        url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({
          token,
          token_type_hint: 'access_token',
          client_id: clientId,
          client_secret: clientSecret,
        }).toString(),
        signal,
      });
      // 401 is about our own client: the bearer of the token can do nothing about it.
      if (status !== 200 || typeof body?.active !== 'boolean')
        throw new AwayError(`${url} answered ${status}${status === 200 ? ' with no verdict' : ''}.`);
      return body.active ? body : undefined;
    },

    /** Whether a token names /userinfo among those that may take it; others are not shown there, and would be refused. */
    async isForUserinfo({ aud }: Json): Promise<boolean> {
      const { userinfo_endpoint } = await metadata();
      return typeof userinfo_endpoint === 'string' && textsOf(aud).includes(userinfo_endpoint);
    },

    /** Who the token speaks for, asked with the token itself; undefined where the server refuses it. */
    async userinfo(token: string, signal: AbortSignal): Promise<Json | undefined> {
      const url = await endpoint('userinfo_endpoint');
      const { status, body } = await call('userinfo', { url, headers: { authorization: `Bearer ${token}` }, signal });
      if (status === 400 || status === 401 || status === 403) return undefined;
      if (status !== 200 || !body) throw new AwayError(`${url} answered ${status}.`);
      return body;
    },

    /** Rejects with an AwayError where the server does not answer now. */
    async checkReachable(): Promise<void> {
      await discover(READY_FRESH_MS);
    },
  };
}

function objectIn(body: Buffer): Json | undefined {
  try {
    const value = parseJson(body.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
