import { decodeJwt } from 'jose';
import type { TokenUser } from '../entries/entry.ts';
import { plainCopy } from '../entries/plain-copy.ts';
import { callService, type ServiceAnswer } from '../verifiers/call-service.ts';
import { createDiscovery } from '../verifiers/discovery.ts';
import { ServiceAwayError } from '../verifiers/verify-token.ts';
import type { CheckedBrokerOptions } from './broker-options.ts';
import { SessionError } from './session-error.ts';

export interface Tokens {
  readonly accessToken: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** Absent where the server does not rotate, or gave none. */
  readonly refreshToken?: string;
  readonly user?: TokenUser;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** The directory; the server's default one unless said. */
  readonly realm?: string;
  /** The user's address, for the server's protection against guessing. */
  readonly forwardedFor?: string;
}

export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>;

const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';
const LONGEST_MESSAGE = 300;
const EXPIRES_OTHERWISE = 300;
const ABOUT_THE_TOKEN = new Set([
  ...['iss', 'aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'sid', 'at_hash', 'c_hash', 'auth_time', 'acr', 'amr'],
]);

/** The server's /oauth/token and /oauth/revoke, as the broker's client. Rejects with a SessionError. */
export function createTokenEndpoint(options: CheckedBrokerOptions) {
  const { issuer, audience, scope, clientId, clientSecret, deadlineMs, fetch, now } = options;
  const client = { client_id: clientId, client_secret: clientSecret };
  const discover = createDiscovery({ issuer, fetch });

  async function post(
    endpoint: 'token_endpoint' | 'revocation_endpoint',
    form: Readonly<Record<string, string>>,
    {
      headers = {},
      ending,
    }: { readonly headers?: Readonly<Record<string, string>>; readonly ending?: AbortSignal } = {},
  ): Promise<ServiceAnswer> {
    try {
      const told = endpoint === 'token_endpoint' ? options.tokenEndpoint : options.revocationEndpoint;
      const body = new URLSearchParams({ ...client, ...form });
      const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), ...(ending ? [ending] : [])]);
      return await callService(
        fetch,
        told ?? (await discover(endpoint)),
        { method: 'POST', headers, body, signal },
        [429],
      );
    } catch (cause) {
      if (!(cause instanceof ServiceAwayError)) throw cause;
      // Its message names addresses of the backend, which are nothing for users.
      throw new SessionError('away', 'The server can not be asked.', {
        cause,
        retryAfterSeconds: cause.retryAfterSeconds,
      });
    }
  }

  function tokensOf({ status, body }: ServiceAnswer): Tokens {
    const accessToken = body?.access_token;
    if (status !== 200 || typeof accessToken !== 'string')
      throw new SessionError('away', 'The server answered with no token.');
    const { expires_in, refresh_token, id_token } = body ?? {};
    const isSpan = typeof expires_in === 'number' && expires_in > 0 && Number.isFinite(expires_in);
    const seconds = isSpan ? expires_in : EXPIRES_OTHERWISE;
    const user = userOf(id_token) ?? userOf(accessToken);
    return {
      accessToken,
      expiresAt: Math.floor(now() / 1000) + seconds,
      ...(typeof refresh_token === 'string' && { refreshToken: refresh_token }),
      ...(user && { user }),
    };
  }

  return {
    async logIn({ username, password, realm, forwardedFor }: Credentials): Promise<Tokens> {
      const answer = await post(
        'token_endpoint',
        {
          grant_type: realm === undefined ? 'password' : PASSWORD_REALM,
          username,
          password,
          audience,
          scope,
          ...(realm !== undefined && { realm }),
        },
        forwardedFor === undefined ? {} : { headers: { 'auth0-forwarded-for': forwardedFor } },
      );
      if (answer.status !== 200) throw loginError(answer);
      return tokensOf(answer);
    },

    async refresh(refreshToken: string): Promise<Tokens> {
      const answer = await post('token_endpoint', { grant_type: 'refresh_token', refresh_token: refreshToken });
      if (answer.status !== 200) throw refreshError(answer);
      return tokensOf(answer);
    },

    /** RFC 7009; a token that has ended is revoked, too. */
    async revoke(refreshToken: string, ending?: AbortSignal): Promise<void> {
      const form = { token: refreshToken, token_type_hint: 'refresh_token' };
      const answer = await post('revocation_endpoint', form, ending && { ending });
      if (answer.status === 429) throw new SessionError('away', 'The server answered 429.');
      if (answer.status !== 200) throw configuration(answer);
    },
  };
}

function loginError(answer: ServiceAnswer): SessionError {
  const { status, body } = answer;
  const said = typeof body?.error_description === 'string' ? body.error_description.slice(0, LONGEST_MESSAGE) : '';
  const error = body?.error;
  if (status === 429) return new SessionError('too_many_attempts', 'Too many attempts. Try again later.');
  if (error === 'invalid_grant') return new SessionError('wrong_credentials', 'Wrong user name or password.');
  if (error === 'mfa_required') return new SessionError('mfa_required', 'A second factor is required.');
  if (error === 'unauthorized' && /\bblocked\b/i.test(said)) return new SessionError('blocked', 'The user is blocked.');
  if (error === 'unauthorized' || (error === 'access_denied' && status !== 401))
    return new SessionError('refused', said || 'The login was refused.');
  return configuration(answer);
}

/** Not the server's words: they could repeat what was sent. */
function refreshError(answer: ServiceAnswer): SessionError {
  const { status, body } = answer;
  if (status === 429) return new SessionError('away', 'The server answered 429.');
  if (body?.error === 'mfa_required') return new SessionError('mfa_required', 'A second factor is required.');
  if (body?.error === 'invalid_grant' || body?.error === 'unauthorized')
    return new SessionError('session_ended', 'The session has ended. Log in again.');
  return configuration(answer);
}

function configuration({ status, body }: ServiceAnswer): SessionError {
  const error = typeof body?.error === 'string' && /^[a-z_]{1,60}$/.test(body.error) ? body.error : 'no error code';
  return new SessionError('configuration', `The server refused the broker's client: ${status} ${error}.`);
}

/** OpenID Connect Core section 3.1.3.7: what comes from the token endpoint itself needs no look at its signature. */
function userOf(jwt: unknown): TokenUser | undefined {
  if (typeof jwt !== 'string') return undefined;
  try {
    const { sub, ...claims } = decodeJwt(jwt);
    if (typeof sub !== 'string') return undefined;
    const told = Object.entries(claims).filter(([name]) => !ABOUT_THE_TOKEN.has(name));
    return plainCopy({ ...Object.fromEntries(told), sub });
  } catch {
    return undefined;
  }
}
