import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { guarded, NOW } from '../../test/guarded.ts';
import { describeWithMemcached, type Memcached, startMemcached } from '../../test/memcached.ts';
import type { TokenCache } from '../caches/token-cache.ts';
import { createMemcachedCache } from '../memcached/memcached-cache.ts';
import type { Guard } from './create-guard.ts';

describeWithMemcached('a guard with memcached', () => {
  let memcached: Memcached;
  let cache: TokenCache;
  beforeAll(async () => {
    memcached = await startMemcached(['-m', '1', '-I', '512k']);
  });
  afterAll(() => memcached?.stop());
  beforeEach(async () => {
    cache = connect();
    return () => cache.close();
  });
  /** A generous deadline: these tests are about what happens after it, on machines that are busy. */
  const connect = () => createMemcachedCache({ servers: [memcached.address], deadlineMs: 2_000 });
  let serial = 0;
  const newToken = () => `eyJhbGciOiJSUzI1NiJ9.token-number-${++serial}.signature`;

  it('shares verdicts with the guards of other services, of which none asks again', async () => {
    const token = newToken();
    const [one, two] = [guarded({ cache }), guarded({ cache: connect() })];
    expect(await one.outcome(token)).toBe('granted');
    expect(await two.outcome(token)).toBe('granted');
    expect([one.asked.length, two.asked.length]).toEqual([1, 0]);
    await two.cache.close();
  });

  it('asks once for a thousand requests at once with a new token', async () => {
    const token = newToken();
    const { asked, outcome } = guarded({ cache });
    expect(new Set(await Promise.all(Array.from({ length: 1_000 }, () => outcome(token))))).toEqual(
      new Set(['granted']),
    );
    expect(asked).toEqual([token]);
  });

  it('loses no field where it and others write one entry at once', async () => {
    const token = newToken();
    const { outcome, changeEntry } = guarded({ cache });
    const session = { endsAt: NOW + 3_600, refreshToken: 'refresh-me' };
    const ends = Array.from({ length: 6 }, (_, index) => NOW + 3_600 + index);
    await Promise.all([
      outcome(token),
      ...ends.map((endsAt) => changeEntry(token, (entry) => ({ ...entry, session: { ...session, endsAt } }))),
    ]);
    const entry = await changeEntry(token, () => undefined);
    expect(entry).toMatchObject({ verdict: { active: true }, session: { refreshToken: 'refresh-me' } });
  });

  it('leaves no token, user, permission or secret in it', async () => {
    const token = newToken();
    const { outcome, changeEntry } = guarded({ cache });
    await outcome(token);
    await changeEntry(token, (entry) => ({ ...entry, session: { endsAt: NOW + 60, refreshToken: 'refresh-me' } }));
    const dump = await memcached.dump();
    expect(dump).toContain('gw1:');
    for (const value of dump.match(/1\.[\w-]{40,}/g) ?? [])
      expect(Buffer.from(value.slice(2), 'base64url').toString('latin1')).not.toMatch(/auth0|venues|refresh/);
    expect(dump).not.toMatch(/token-number|auth0\|ada|read:venues|refresh-me/);
  });

  it('asks again about what memcached had no room for', async () => {
    const { outcome, asked, entries } = guarded({ cache });
    const token = newToken();
    await outcome(token);
    // Values of the same size, since memcached evicts within one.
    const { value } = (await cache.get(entries.keyOf(token))) ?? { value: '' };
    for (let index = 0; index < 8_000; index += 500)
      await Promise.all(
        Array.from({ length: 500 }, (_, one) => cache.set(`${'filler-'.repeat(6)}${index + one}`, value, 60)),
      );
    expect(await memcached.ask('stats')).toMatch(/STAT evictions [1-9]/);
    expect(await cache.get(entries.keyOf(token))).toBeUndefined();
    expect(await outcome(token)).toBe('granted');
    expect(asked).toHaveLength(2);
  });

  it('asks the service while memcached is stopped, and believes nothing that comes late', async () => {
    const {
      outcome,
      asked,
      guard,
      cache: hasty,
    } = guarded({
      cache: createMemcachedCache({ servers: [memcached.address], deadlineMs: 50 }),
    });
    const token = newToken();
    // On a busy machine the first call may be too late already.
    await untilHit(guard, () => outcome(token));
    const before = asked.length;
    await memcached.pause();
    try {
      expect([await outcome(token), await outcome(token)]).toEqual(['granted', 'granted']);
      expect(asked.length).toBe(before + 2);
    } finally {
      memcached.resume();
    }
    await untilHit(guard, () => outcome(token));
    await hasty.close();
  });

  it('goes on while memcached is killed, and after it came back empty', async () => {
    const { outcome, asked, guard } = guarded({ cache });
    const token = newToken();
    await outcome(token);
    await memcached.kill();
    expect([await outcome(token), await outcome(token)]).toEqual(['granted', 'granted']);
    expect(asked).toHaveLength(3);
    expect(guard.stats().cacheAway).toBe(2);
    await memcached.restart();
    await untilHit(guard, () => outcome(token));
  });
});

/** Asks until the cache answers again; every request on the way is granted. */
async function untilHit(guard: Guard, outcome: () => Promise<string>): Promise<void> {
  const { hits } = guard.stats();
  while (guard.stats().hits === hits) {
    expect(await outcome()).toBe('granted');
    await sleep(5);
  }
}
