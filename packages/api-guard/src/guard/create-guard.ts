import { createChangeEntry } from '../entries/change-entry.ts';
import type { StoredVerdict } from '../entries/entry.ts';
import { createSealedEntries } from '../entries/seal-entry.ts';
import { ServiceAwayError } from '../verifiers/verify-token.ts';
import { createServiceQuestions } from './ask-service.ts';
import { away, type Decision, refuse } from './decision.ts';
import { checkedOptions, type GuardEvent, type GuardOptions } from './guard-options.ts';
import { createOpenedVerdicts, frozen } from './opened-verdicts.ts';
import { isToken, readBearer } from './read-bearer.ts';
import { createSingleFlight } from './single-flight.ts';
import { isFresh, isStoredVerdict } from './stored-verdict.ts';

export interface Guard {
  /** The value of a request's Authorization header. Never rejects. */
  check(authorizationHeader: string | undefined): Promise<Decision>;
  /** The same for a bare token, from wherever it came. */
  checkToken(accessToken: string): Promise<Decision>;
  /** Counted since the start. */
  stats(): GuardStats;
  /** Ends what is under way; the cache stays as it is. */
  close(): void;
}

export interface GuardStats {
  /** Requests that the cache knew an answer for, and those that it knew none for. */
  readonly hits: number;
  readonly misses: number;
  /** Calls of the verifier: fewer than misses, since one call serves all who wait for the same token. */
  readonly asked: number;
  readonly granted: number;
  readonly refused: number;
  /** Requests that nobody could decide on. */
  readonly away: number;
  /** Times that the cache could not be read or written. */
  readonly cacheAway: number;
  /** Entries that nobody with our secret made for the token. */
  readonly poisoned: number;
}

interface Found {
  readonly verdict: StoredVerdict;
  readonly from: 'cache' | 'service';
}

const RETRY_AFTER = { otherwise: 5, least: 1, most: 120 };

/**
 * Decides on access tokens: by the cache where it has a fresh verdict, else by asking, once however many wait. Fails closed.
 *
 *     const guard = createGuard({ issuer, audience, secret, cache: createMemoryCache(), verify: byIntrospection({ … }) });
 *     const decision = await guard.check(request.headers.authorization);
 */
export function createGuard(given: GuardOptions): Guard {
  const options = checkedOptions(given);
  const { cache, audience, now, maxStaleSeconds, refusedSeconds, clockToleranceSeconds } = options;
  const entries = createSealedEntries(options);
  const changeEntry = createChangeEntry({ cache, entries, verdictSeconds: maxStaleSeconds, refusedSeconds, now });
  const service = createServiceQuestions(options);
  const inFlight = createSingleFlight<Found>();
  const opened = createOpenedVerdicts();
  const counts = { hits: 0, misses: 0, asked: 0, granted: 0, refused: 0, away: 0, cacheAway: 0, poisoned: 0 };

  const seconds = () => now() / 1000;
  const isOfUse = (verdict: StoredVerdict) => isFresh(verdict, { maxStaleSeconds, refusedSeconds, now: seconds() });

  async function decideOn(accessToken: string): Promise<Decision> {
    const key = entries.keyOf(accessToken);
    try {
      // The look into the cache belongs to the flight: who looks just before an answer is written would ask again.
      const { verdict, from } = await inFlight(key, () => find(key, accessToken));
      counts[from === 'cache' ? 'hits' : 'misses']++;
      return count(decide(verdict));
    } catch (error) {
      counts.misses++;
      const asked = error instanceof ServiceAwayError ? error.retryAfterSeconds : undefined;
      const retryAfter = Math.ceil(asked ?? RETRY_AFTER.otherwise);
      return count(away(Math.min(RETRY_AFTER.most, Math.max(RETRY_AFTER.least, retryAfter))));
    }
  }

  async function find(key: string, accessToken: string): Promise<Found> {
    const { known, isCacheAway } = await look(key, accessToken);
    if (known) return { verdict: known, from: 'cache' };
    const verdict = await ask(accessToken);
    if (!isCacheAway) await store(accessToken, verdict);
    return { verdict, from: 'service' };
  }

  async function look(
    key: string,
    accessToken: string,
  ): Promise<{ readonly known?: StoredVerdict; readonly isCacheAway?: boolean }> {
    try {
      const cached = await cache.get(key);
      if (!cached) return {};
      const verdict = opened.find(key, cached.value) ?? open(key, accessToken, cached.value);
      return verdict && isOfUse(verdict) ? { known: verdict } : {};
    } catch (cause) {
      cacheAway(cause);
      return { isCacheAway: true };
    }
  }

  function open(key: string, accessToken: string, value: string): StoredVerdict | undefined {
    const entry = entries.open(accessToken, value);
    const verdict: unknown = entry?.verdict;
    if (!entry || (verdict !== undefined && !isStoredVerdict(verdict))) {
      counts.poisoned++;
      tell({ type: 'poisoned_entry', message: 'An entry of the cache was not made for its token by this secret.' });
      return undefined;
    }
    if (verdict) opened.keep(key, value, frozen(verdict));
    return verdict;
  }

  async function ask(accessToken: string): Promise<StoredVerdict> {
    counts.asked++;
    const checkedAt = Math.floor(seconds());
    try {
      return frozen({ ...(await service.ask(accessToken)), checkedAt });
    } catch (cause) {
      tell({ type: 'service_away', message: cause instanceof Error ? cause.message : String(cause), cause });
      throw cause;
    }
  }

  /** A verdict that can't be kept is as good as one that can, but for the next question. */
  async function store(accessToken: string, verdict: StoredVerdict): Promise<void> {
    try {
      await changeEntry(accessToken, (entry) =>
        isStoredVerdict(entry.verdict) && isOfUse(entry.verdict) && entry.verdict.checkedAt > verdict.checkedAt
          ? undefined
          : { ...entry, verdict },
      );
    } catch (cause) {
      cacheAway(cause);
    }
  }

  function decide(verdict: StoredVerdict): Decision {
    if (!verdict.active) return refuse(verdict.reason, audience);
    const { expiresAt, user, permissions } = verdict;
    if (expiresAt !== undefined && seconds() >= expiresAt + clockToleranceSeconds) return refuse('expired', audience);
    return { outcome: 'granted', user, permissions, ...(expiresAt !== undefined && { expiresAt }) };
  }

  async function refused(reason: string): Promise<Decision> {
    return count(refuse(reason, audience));
  }

  function count(decision: Decision): Decision {
    counts[decision.outcome]++;
    return decision;
  }

  function cacheAway(cause: unknown): void {
    counts.cacheAway++;
    tell({ type: 'cache_away', message: cause instanceof Error ? cause.message : String(cause), cause });
  }

  function tell(event: GuardEvent): void {
    try {
      options.onEvent?.(event);
    } catch {
      // The listener's own trouble decides on no request.
    }
  }

  return {
    check(authorizationHeader) {
      const bearer = readBearer(authorizationHeader);
      return 'fault' in bearer ? refused(bearer.fault) : decideOn(bearer.token);
    },
    checkToken: (accessToken) => (isToken(accessToken) ? decideOn(accessToken) : refused('malformed')),
    stats: () => ({ ...counts }),
    close: () => service.close(),
  };
}
