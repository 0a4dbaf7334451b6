import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itKeepsTheCacheContract } from '../../test/cache-contract.ts';
import { describeWithMemcached, type Memcached, startMemcached } from '../../test/memcached.ts';
import type { TokenCache } from '../caches/token-cache.ts';
import { createMemcachedCache } from './memcached-cache.ts';

describeWithMemcached('a cache in memcached', () => {
  let memcached: Memcached;
  let cache: TokenCache;
  // What it answers is tested here, not how soon.
  const connect = () => createMemcachedCache({ servers: [memcached.address], deadlineMs: 20_000 });
  beforeAll(async () => {
    memcached = await startMemcached();
    cache = connect();
  });
  afterAll(async () => {
    await cache.close();
    await memcached.stop();
  });

  itKeepsTheCacheContract({
    cache: () => cache,
    another: connect,
    // memcached's own clock ticks once a second.
    pass: (seconds) => sleep(seconds * 1000 + 100),
  });

  it('is shared: what one process stores another one reads, and versions are the same', async () => {
    const other = connect();
    await cache.set('shared', 'value', 60);
    expect(await other.get('shared')).toEqual(await cache.get('shared'));
    await other.close();
  });

  it('reads what somebody else made larger than we would, and goes on', async () => {
    const value = 'x'.repeat(1_048_000);
    await memcached.ask(`set large 0 60 ${value.length} noreply\r\n${value}\r\nversion`);
    const [large, missing] = await Promise.all([cache.get('large'), cache.get('not-there')]);
    expect(large?.value.length).toBe(value.length);
    expect(missing).toBeUndefined();
    await cache.set('large', 'ours again', 60);
    expect((await cache.get('large'))?.value).toBe('ours again');
  });
});

describe('options of a cache in memcached', () => {
  it.each([
    ['no server', { servers: [] }, 'servers: at least one'],
    ['an address that is none', { servers: ['a:1', 'http://b'] }, 'servers: "http://b"'],
    ['no time for a call', { servers: ['a:1'], deadlineMs: 0 }, 'deadlineMs: '],
    ['a deadline that is no number', { servers: ['a:1'], deadlineMs: Number.NaN }, 'deadlineMs: '],
  ])('are refused with %s, before it connects to any', (_what, options, message) => {
    expect(() => createMemcachedCache(options)).toThrow(message);
  });
});
