import type { Verdict } from '../entries/entry.ts';
import { isVerdict } from '../guard/stored-verdict.ts';
import { checkHeaderText, checkWebAddress } from '../options/check-options.ts';
import { callService, type Fetch } from './call-service.ts';
import { refused } from './verdict-of-claims.ts';
import { ServiceAwayError, type VerifyToken } from './verify-token.ts';

export interface TokenServiceOptions {
  /** Of the service, as `http://token-service:3100`. */
  readonly url: string;
  /** By which the service knows this caller. */
  readonly callerSecret: string;
  readonly fetch?: Fetch;
}

/** Asks the company's token service (`gatewright token-service`). */
export function byTokenService({ url, callerSecret, fetch = globalThis.fetch }: TokenServiceOptions): VerifyToken {
  checkWebAddress('url', url);
  checkHeaderText('callerSecret', callerSecret);
  const endpoint = `${url.replace(/\/$/, '')}/token/verify`;
  return async (token, signal) => {
    const { status, body } = await callService(fetch, endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${callerSecret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
      signal,
    });
    // The service takes shorter tokens than we do.
    if (status === 400 || status === 413) return refused('malformed');
    const verdict = status === 200 && body && verdictOf(body);
    // 401 is about this caller's secret: the bearer of the token can do nothing about it.
    if (!verdict)
      throw new ServiceAwayError(`${endpoint} answered ${status}${status === 200 ? ' with no verdict' : ''}.`);
    return verdict;
  };
}

function verdictOf({ active, reason, user, permissions, expires_at }: Readonly<Record<string, unknown>>) {
  const verdict: unknown =
    active === false
      ? refused(typeof reason === 'string' ? reason.slice(0, 100) : 'unknown')
      : { active, user, permissions, ...(expires_at !== undefined && { expiresAt: expires_at }) };
  return isVerdict(verdict) ? (verdict satisfies Verdict) : undefined;
}
