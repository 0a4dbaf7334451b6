import { describe, expect, it } from 'vitest';
import { itKeepsTheCacheContract } from '../../test/cache-contract.ts';
import { createMemoryCache } from './memory-cache.ts';

describe('a cache in memory', () => {
  let time = Date.UTC(2026, 0, 1);
  const now = () => time;
  const cache = createMemoryCache({ now });
  itKeepsTheCacheContract({
    cache: () => cache,
    another: () => createMemoryCache({ now }),
    pass: async (seconds) => {
      time += seconds * 1000;
    },
  });

  it('ends an entry at the second that was said', async () => {
    await cache.set('ends', 'value', 10);
    time += 9_999;
    expect((await cache.get('ends'))?.value).toBe('value');
    time += 1;
    expect(await cache.get('ends')).toBeUndefined();
  });

  it('lets go what was not asked for longest where it has too many entries', async () => {
    const small = createMemoryCache({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) await small.set(key, key, 60);
    await small.get('a');
    await small.set('d', 'd', 60);
    expect(await keysIn(small, ['a', 'b', 'c', 'd'])).toEqual(['a', 'c', 'd']);
  });

  it('lets go what was not asked for longest where its bytes are too many', async () => {
    const small = createMemoryCache({ maxBytes: 10_000 });
    for (const key of ['a', 'b', 'c']) await small.set(key, '€'.repeat(1_000), 60);
    await small.get('a');
    await small.set('d', '€'.repeat(1_000), 60);
    expect(await keysIn(small, ['a', 'b', 'c', 'd'])).toEqual(['a', 'c', 'd']);
  });

  it('lets go what passes before what lasts, unless that has little room left', async () => {
    const small = createMemoryCache({ maxEntries: 8 });
    const sessions = Array.from({ length: 6 }, (_, index) => `session${index}`);
    for (const key of sessions) await small.set(key, 'x', 86_400);
    for (let index = 0; index < 100; index++) await small.set(`refused${index}`, 'x', 5);
    expect(await keysIn(small, [...sessions, 'refused98', 'refused99'])).toHaveLength(8);
    await small.set('session6', 'x', 86_400);
    expect(await keysIn(small, [...sessions, 'session6', 'refused98', 'refused99'])).toEqual([
      ...sessions.slice(1),
      'session6',
      'refused98',
      'refused99',
    ]);
  });

  it('drops an entry that alone is too large, and the one that it was to follow', async () => {
    const small = createMemoryCache({ maxBytes: 1_000 });
    await small.set('a', 'small', 60);
    await small.set('b', 'small', 60);
    await small.set('a', 'x'.repeat(1_000), 60);
    expect(await keysIn(small, ['a', 'b'])).toEqual(['b']);
  });

  it('has room for as much as before, however often entries are written, end and are deleted', async () => {
    const small = createMemoryCache({ maxEntries: 10, maxBytes: 5_000, now });
    for (let round = 0; round < 200; round++) {
      await small.set(`k${round % 7}`, 'x'.repeat(round), 1);
      if (round % 3 === 0) await small.delete(`k${round % 5}`);
      time += 700;
      await small.get(`k${round % 4}`);
    }
    const keys = Array.from({ length: 10 }, (_, index) => `new${index}`);
    for (const key of keys) await small.set(key, 'x'.repeat(280), 60);
    expect(await keysIn(small, keys)).toEqual(keys);
  });
});

async function keysIn(cache: ReturnType<typeof createMemoryCache>, keys: readonly string[]): Promise<string[]> {
  const found = await Promise.all(keys.map(async (key) => ((await cache.get(key)) ? key : undefined)));
  return found.filter((key) => key !== undefined);
}
