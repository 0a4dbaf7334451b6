import { describe, expect, it } from 'vitest';
import { ADA, guarded, NOW, SCOPE } from '../../test/guarded.ts';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { CacheAwayError } from '../caches/token-cache.ts';
import type { Entry, Verdict } from '../entries/entry.ts';
import { createSealedEntries } from '../entries/seal-entry.ts';
import { ServiceAwayError } from '../verifiers/verify-token.ts';

const isAway = async () => {
  throw new ServiceAwayError('It is down.', { retryAfterSeconds: 7 });
};

describe('while the token service is away', () => {
  it('a token that was checked within maxStale goes on, and is 503 after that, never 401', async () => {
    const { guard, outcome, serviceSays, later, events } = guarded();
    await outcome();
    serviceSays(isAway);
    later(59);
    expect(await outcome()).toBe('granted');
    later(1);
    expect(await guard.checkToken('at')).toMatchObject({
      outcome: 'away',
      retryAfterSeconds: 7,
      answer: { status: 503, headers: { 'retry-after': '7' } },
    });
    expect(events).toMatchObject([{ type: 'service_away', message: 'It is down.' }]);
  });

  it('a token that nobody knows is 503, and is asked about again at once when it is back', async () => {
    const { outcome, serviceSays } = guarded({}, isAway);
    expect(await outcome()).toBe('away');
    serviceSays(ADA);
    expect(await outcome()).toBe('granted');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['fails in its own way', () => Promise.reject(new TypeError('x is not a function'))],
    ['says nothing', () => Promise.resolve(undefined)],
    ['says yes to nobody', () => Promise.resolve({ ...ADA, user: {} })],
    ['says yes with permissions that are no list', () => Promise.resolve({ ...ADA, permissions: 'all' })],
    ['says neither yes nor no', () => Promise.resolve({ ...ADA, active: 'true' })],
  ])('a verifier that %s counts as one', async (_what, says) => {
    const { outcome } = guarded({}, says as () => Promise<Verdict>);
    expect(await outcome()).toBe('away');
  });

  it('nobody waits beyond the deadline, though the verifier never ends', async () => {
    const { outcome, guard } = guarded({ deadlineMs: 20 }, () => new Promise(() => {}));
    expect(await Promise.all([outcome(), outcome(), outcome('other')])).toEqual(['away', 'away', 'away']);
    expect(guard.stats()).toMatchObject({ asked: 2, away: 3 });
  });

  it('a verifier that never ends keeps no turn from the next token, however often', async () => {
    const { outcome, serviceSays } = guarded({ deadlineMs: 20, mostAtOnce: 1 }, () => new Promise(() => {}));
    expect([await outcome('one'), await outcome('two')]).toEqual(['away', 'away']);
    serviceSays(ADA);
    await expect.poll(() => outcome('three'), { timeout: 60_000 }).toBe('granted');
  });

  it('close ends the waiting', async () => {
    const { outcome, guard } = guarded({ deadlineMs: 60_000 }, () => new Promise(() => {}));
    const waiting = outcome();
    await new Promise(setImmediate);
    guard.close();
    expect(await waiting).toBe('away');
  });
});

describe('a service that is slow', () => {
  it('is asked about so many tokens at once as allowed; twenty times more wait, the rest is 503 at once', async () => {
    let underWay = 0;
    let most = 0;
    const { outcome, guard } = guarded({ mostAtOnce: 2 }, async () => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
      return ADA;
    });
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => outcome(`token-${index}`)));
    expect(most).toBe(2);
    expect(outcomes.filter((found) => found === 'granted')).toHaveLength(42);
    expect(guard.stats()).toMatchObject({ granted: 42, away: 8 });
  });
});

describe('while the cache is away', () => {
  const gone = () => Promise.reject(new CacheAwayError('No cache.'));
  const cache = { ...createMemoryCache(), get: gone, add: gone, replace: gone };

  it('every request is asked about, those at once together', async () => {
    const { guard, outcome, asked, events } = guarded({ cache });
    expect(await Promise.all([outcome(), outcome()])).toEqual(['granted', 'granted']);
    expect(await outcome()).toBe('granted');
    expect(asked).toHaveLength(2);
    expect(guard.stats()).toMatchObject({ cacheAway: 2 });
    expect(events[0]).toMatchObject({ type: 'cache_away', message: 'No cache.' });
  });

  it('and the service too, the answer is 503', async () => {
    expect(await guarded({ cache }, isAway).outcome()).toBe('away');
  });

  it('only for writing, requests go on', async () => {
    expect(await guarded({ cache: { ...createMemoryCache(), add: gone } }).outcome()).toBe('granted');
  });
});

describe('a poisoned entry', () => {
  const { entries } = guarded();
  const mallory = { verdict: { ...ADA, user: { sub: 'mallory' }, permissions: ['admin'], checkedAt: NOW } };
  const withShape = (entry: unknown) => entries.seal('at', entry as Entry);

  it.each([
    ['moved from another token', entries.seal('other', mallory)],
    ['of another company', createSealedEntries({ ...SCOPE, secret: 't'.repeat(32) }).seal('at', mallory)],
    ['in clear', JSON.stringify(mallory)],
    ['cut off', entries.seal('at', mallory).slice(0, -9)],
    ['of a user without a name', withShape({ verdict: { ...mallory.verdict, user: { sub: '' } } })],
    ['of no known time', withShape({ verdict: { ...mallory.verdict, checkedAt: 'today' } })],
    ['that is no entry', withShape(null)],
    ['with another verdict', withShape({ verdict: 'yes' })],
  ])('(%s) is a miss that is counted and overwritten', async (_what, value) => {
    const { guard, cache, asked, events } = guarded();
    await cache.set(entries.keyOf('at'), value, 60);
    expect(await guard.checkToken('at')).toMatchObject({ user: { sub: 'auth0|ada' }, permissions: ['read:venues'] });
    expect(guard.stats()).toMatchObject({ poisoned: 1, misses: 1 });
    expect(events).toMatchObject([{ type: 'poisoned_entry' }]);
    await guard.checkToken('at');
    expect(asked).toHaveLength(1);
  });
});

describe('claims that would change a prototype', () => {
  it('reach no handler, from the service or from the cache', async () => {
    const user = JSON.parse('{"sub":"ada","__proto__":{"isAdmin":true},"app_metadata":{"__proto__":{"isAdmin":true}}}');
    const { guard } = guarded({}, { ...ADA, user });
    for (const from of ['service', 'cache']) {
      const decision = await guard.checkToken('at');
      if (decision.outcome !== 'granted') throw new Error(from);
      const copy: Record<string, unknown> = Object.assign({}, decision.user);
      expect([copy.isAdmin, Object.assign({}, copy.app_metadata)], from).toEqual([undefined, {}]);
      expect(JSON.stringify(decision.user)).toBe('{"sub":"ada","app_metadata":{}}');
    }
    expect(Object.isFrozen(user)).toBe(false);
  });
});

describe('what a guard tells its operator', () => {
  it('holds no token', async () => {
    const { outcome, events, cache, entries } = guarded({}, isAway);
    await cache.set(entries.keyOf('secret-token'), 'nonsense', 60);
    await outcome('secret-token');
    expect(events.map(({ type }) => type)).toEqual(['poisoned_entry', 'service_away']);
    expect(JSON.stringify(events)).not.toContain('secret-token');
  });

  it('decides on no request, even where the listener fails', async () => {
    const onEvent = () => {
      throw new Error('The disk is full.');
    };
    expect(await guarded({ onEvent }, isAway).outcome()).toBe('away');
  });
});
