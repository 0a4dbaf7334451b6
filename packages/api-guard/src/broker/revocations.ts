import type { BrokerEvent } from './broker-options.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

interface Parts {
  readonly server: Pick<TokenEndpoint, 'revoke'>;
  readonly delaysMs: readonly number[];
  readonly tell: (event: BrokerEvent) => void;
}

/** Many log out while the server is away: what waits has a bound, and what finds no room is told. */
const MOST_WAITING = 10_000;

/** Revokes at the server, and tries again where it did not answer: the session is out of the cache already. */
export function createRevocations({ server, delaysMs, tell }: Parts) {
  const timers = new Set<NodeJS.Timeout>();

  /** True once it is revoked; false where it is tried again, or is given up. */
  async function revoke(refreshToken: string, attempt = 0): Promise<boolean> {
    try {
      await server.revoke(refreshToken);
      return true;
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      const delay = delaysMs[attempt];
      if (delay === undefined || timers.size >= MOST_WAITING) tell({ type: 'revocation_failed', message });
      else {
        tell({ type: 'revocation_delayed', message });
        later(delay, () => revoke(refreshToken, attempt + 1));
      }
      return false;
    }
  }

  function later(delay: number, work: () => Promise<unknown>): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void work();
    }, delay).unref();
    timers.add(timer);
  }

  return {
    revoke: (refreshToken: string) => revoke(refreshToken),
    close(): void {
      if (timers.size > 0) tell({ type: 'revocation_failed', message: `${timers.size} sessions were not revoked.` });
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
