import type { TokenUser } from '../entries/entry.ts';

/** What the guard says of a request. */
export type Decision = Granted | Refused | Away;

export interface Granted {
  readonly outcome: 'granted';
  readonly user: TokenUser;
  readonly permissions: readonly string[];
  /** Seconds since 1970; absent where the authorization server did not say. */
  readonly expiresAt?: number;
}

/** 401. */
export interface Refused {
  readonly outcome: 'refused';
  /** `missing`, `malformed`, `expired`, or what the verifier said: `revoked`, `audience`, `issuer`, `unknown` … */
  readonly reason: string;
  readonly answer: HttpAnswer;
}

/** 503: nobody could say whether the token is good. */
export interface Away {
  readonly outcome: 'away';
  readonly retryAfterSeconds: number;
  readonly answer: HttpAnswer;
}

/** What to answer with, in any framework. */
export interface HttpAnswer {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: string; readonly error_description: string };
}

const DESCRIPTIONS = new Map([
  ['missing', 'Send an access token: Authorization: Bearer <token>'],
  ['malformed', 'The access token is malformed'],
  ['expired', 'The access token expired'],
  ['revoked', 'The access token was revoked'],
  ['audience', 'The access token is for another API'],
  ['issuer', 'The access token is of another issuer'],
]);

export function refuse(reason: string, realm: string): Refused {
  const description = DESCRIPTIONS.get(reason) ?? 'The access token is not valid';
  // RFC 6750 section 3.1: no error code for who sent no token.
  const challenge =
    reason === 'missing' ? { realm } : { realm, error: 'invalid_token', error_description: description };
  return {
    outcome: 'refused',
    reason,
    answer: {
      status: 401,
      headers: { 'www-authenticate': bearerChallenge(challenge) },
      body: { error: reason === 'missing' ? 'unauthorized' : 'invalid_token', error_description: description },
    },
  };
}

export function away(retryAfterSeconds: number): Away {
  return {
    outcome: 'away',
    retryAfterSeconds,
    answer: {
      status: 503,
      headers: { 'retry-after': String(retryAfterSeconds) },
      body: { error: 'temporarily_unavailable', error_description: "The access token can't be checked right now" },
    },
  };
}

/** For who is known but may not (RFC 6750 section 3.1). */
export function lacksPermissions(required: readonly string[]): HttpAnswer {
  const description = `The access token lacks a permission: ${required.join(' ')}`;
  const challenge = { error: 'insufficient_scope', error_description: description, scope: required.join(' ') };
  return {
    status: 403,
    headers: { 'www-authenticate': bearerChallenge(challenge) },
    body: { error: 'insufficient_scope', error_description: description },
  };
}

function bearerChallenge(parameters: Readonly<Record<string, string>>): string {
  return `Bearer ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${quotable(value)}"`)
    .join(', ')}`;
}

/** A quoted-string of ASCII (RFC 9110 section 5.6.4): nothing of a name can begin a header of its own. */
function quotable(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&');
}
