import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerEvent } from './broker-options.ts';
import { detailOf } from './session-error.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

interface Parts {
  readonly server: Pick<TokenEndpoint, 'revoke'>;
  readonly delaysMs: readonly number[];
  /** For the last attempts of all that wait, when the broker closes. */
  readonly closeMs: number;
  readonly tell: (event: BrokerEvent) => void;
}

/** Many log out while the server is away: what waits has a bound, and what finds no room is told. */
const MOST_WAITING = 10_000;
const LAST_ATTEMPTS_AT_ONCE = 20;

/** Revokes at the server, and tries again where it did not answer: the session is out of the cache already. */
export function createRevocations({ server, delaysMs, closeMs, tell }: Parts) {
  const waiting = new Map<NodeJS.Timeout, string>();
  const underWay = new Set<Promise<boolean>>();
  let isClosed = false;

  /** True once it is revoked; false where it is tried again, or is given up. */
  function revoke(refreshToken: string, attempt = 0): Promise<boolean> {
    const revoking = tryOrWait(refreshToken, attempt).finally(() => underWay.delete(revoking));
    underWay.add(revoking);
    return revoking;
  }

  async function tryOrWait(refreshToken: string, attempt: number): Promise<boolean> {
    try {
      await server.revoke(refreshToken);
      return true;
    } catch (cause) {
      const message = detailOf(cause);
      const delay = delaysMs[attempt];
      if (delay === undefined || isClosed || waiting.size >= MOST_WAITING) tell({ type: 'revocation_failed', message });
      else {
        tell({ type: 'revocation_delayed', message });
        later(delay, refreshToken, attempt + 1);
      }
      return false;
    }
  }

  function later(delay: number, refreshToken: string, attempt: number): void {
    const timer = setTimeout(() => {
      waiting.delete(timer);
      void revoke(refreshToken, attempt);
    }, delay).unref();
    waiting.set(timer, refreshToken);
  }

  /** Tries once more what waits, and says what could not be told within the time. */
  async function close(): Promise<void> {
    isClosed = true;
    const refreshTokens = [...waiting.values()];
    for (const timer of waiting.keys()) clearTimeout(timer);
    waiting.clear();
    const total = refreshTokens.length;
    let revoked = 0;
    const closing = new AbortController();
    const tryRest = async () => {
      for (let token = refreshTokens.pop(); token !== undefined && !closing.signal.aborted; token = refreshTokens.pop())
        await server.revoke(token, closing.signal).then(
          () => revoked++,
          () => {},
        );
    };
    const all = Promise.all([...underWay, ...Array.from({ length: LAST_ATTEMPTS_AT_ONCE }, tryRest)]);
    await Promise.race([all, sleep(closeMs, undefined, { signal: closing.signal }).catch(() => {})]);
    closing.abort();
    if (revoked < total)
      tell({
        type: 'revocation_failed',
        message: `${total - revoked} sessions were not revoked: their refresh tokens, which nobody has, live until they expire.`,
      });
  }

  return { revoke: (refreshToken: string) => revoke(refreshToken), close };
}
