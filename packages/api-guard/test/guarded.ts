import { createMemoryCache } from '../src/caches/memory-cache.ts';
import type { TokenCache } from '../src/caches/token-cache.ts';
import { createChangeEntry } from '../src/entries/change-entry.ts';
import type { Verdict } from '../src/entries/entry.ts';
import { createSealedEntries } from '../src/entries/seal-entry.ts';
import { createGuard } from '../src/guard/create-guard.ts';
import type { GuardEvent, GuardOptions } from '../src/guard/guard-options.ts';

export const NOW = 1_800_000_000;
export const SCOPE = { issuer: 'https://acme-dev.example/', audience: 'https://venues', secret: 's'.repeat(32) };
export const ADA = {
  active: true,
  expiresAt: NOW + 600,
  user: { sub: 'auth0|ada', name: 'Ada' },
  permissions: ['read:venues'],
} satisfies Verdict;

/** A guard with a clock that stands still, whose token service says what a test wants it to. */
export function guarded(options: Partial<GuardOptions> = {}, says: Verdict | (() => Promise<Verdict>) = ADA) {
  let time = NOW * 1000;
  let answer = says;
  const now = () => time;
  const asked: string[] = [];
  const events: GuardEvent[] = [];
  const cache: TokenCache = options.cache ?? createMemoryCache({ now });
  const guard = createGuard({
    ...SCOPE,
    cache,
    now,
    verify: async (token) => {
      asked.push(token);
      return typeof answer === 'function' ? answer() : answer;
    },
    onEvent: (event) => events.push(event),
    ...options,
  });
  const entries = createSealedEntries(SCOPE);
  return {
    guard,
    cache,
    entries,
    changeEntry: createChangeEntry({ cache, entries, now }),
    /** Tokens that the service was asked about. */
    asked,
    events,
    outcome: async (token = 'at') => (await guard.checkToken(token)).outcome,
    serviceSays(next: typeof says): void {
      answer = next;
    },
    later(seconds: number): void {
      time += seconds * 1000;
    },
  };
}
