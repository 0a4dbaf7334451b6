import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answers,
  describeWithMemcached,
  type Memcached,
  memcachedCommand,
  startMemcached,
} from '../../test/memcached.ts';
import { comesBack, countOutcomes } from '../../test/outcomes.ts';
import { createMemcachedCache, type ServerChange } from './memcached-cache.ts';

describeWithMemcached('a memcached', () => {
  const servers: Memcached[] = [];
  const start = async (options?: readonly string[]) => {
    const memcached = await startMemcached(options);
    servers.push(memcached);
    return memcached;
  };
  afterAll(() => Promise.all(servers.map((memcached) => memcached.stop())));

  it('that is killed and comes back empty is away in between, and is told of', async () => {
    const memcached = await start();
    const changes: ServerChange[] = [];
    const cache = createMemcachedCache({
      servers: [memcached.address],
      deadlineMs: 20_000,
      onChange: (change) => changes.push(change),
    });
    await cache.set('a', 'before', 60);
    await memcached.kill();
    // With a deadline of 20 seconds these are refused at once, or this test never ends.
    const outcomes = await countOutcomes(500, () => cache.get('a'));
    expect(Object.keys(outcomes).every((outcome) => outcome.startsWith('memcached is away'))).toBe(true);
    await memcached.restart();
    await comesBack(cache);
    expect(await cache.get('a')).toBeUndefined();
    await cache.set('a', 'after', 60);
    expect((await cache.get('a'))?.value).toBe('after');
    const server = memcached.address;
    expect(changes).toEqual([
      { server, state: 'up' },
      { server, state: 'away', reason: expect.any(String) },
      { server, state: 'up' },
    ]);
    await cache.close();
  });

  it.runIf(process.platform === 'linux')(
    'of a test ends with the process that started it, however that ends',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'gw-mc-orphan-'));
      const address = join(folder, 's');
      const [command, ...args] = memcachedCommand(address);
      const starts = `require('node:child_process').spawn(${JSON.stringify(command)}, ${JSON.stringify(args)}); setInterval(() => {}, 60_000);`;
      const starter = spawn(process.execPath, ['-e', starts], { stdio: 'ignore' });
      await expect.poll(() => answers(address), { timeout: 60_000 }).toBe(true);
      starter.kill('SIGKILL');
      await expect.poll(() => answers(address), { timeout: 60_000 }).toBe(false);
      await rm(folder, { recursive: true, force: true });
    },
  );

  it('that hangs costs one deadline, and no later answer is given to another call', async () => {
    const memcached = await start();
    const deadlineMs = 200;
    const patient = createMemcachedCache({ servers: [memcached.address], deadlineMs: 20_000 });
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    for (const key of keys) await patient.set(key, `of ${key}`, 60);
    const cache = createMemcachedCache({ servers: [memcached.address], deadlineMs });
    await comesBack(cache);

    await memcached.pause();
    expect(await countOutcomes(300, () => cache.get('k1'))).toEqual({
      'memcached is away: it did not answer within 200 ms.': 1,
      'memcached is away: it did not answer in time.': 299,
    });
    expect(await Promise.allSettled(keys.map((key) => cache.set(key, 'lost', 60)))).toSatisfy(
      (all: PromiseSettledResult<void>[]) => all.every(({ status }) => status === 'rejected'),
    );
    memcached.resume();
    await comesBack(cache);
    for (const key of keys) expect((await patient.get(key))?.value).toBe(`of ${key}`);
    await Promise.all([cache.close(), patient.close()]);
  });

  it('that evicts leaves right values or none', async () => {
    const memcached = await start(['-m', '2']);
    const cache = createMemcachedCache({ servers: [memcached.address], deadlineMs: 20_000 });
    const keys = Array.from({ length: 400 }, (_, index) => `k${index}`);
    const fill = (key: string) => `${key}:`.repeat(4_000);
    for (const key of keys) await cache.set(key, fill(key), 60);
    const found = await Promise.all(keys.map(async (key) => ({ key, value: (await cache.get(key))?.value })));
    const there = found.filter(({ value }) => value !== undefined);
    expect(there.every(({ key, value }) => value === fill(key))).toBe(true);
    expect(there.length).toBeGreaterThan(0);
    expect(there.length).toBeLessThan(keys.length);
    await cache.close();
  });

  it('that takes only smaller values than ours is not away', async () => {
    const memcached = await start(['-I', '512k']);
    const cache = createMemcachedCache({ servers: [memcached.address], deadlineMs: 20_000 });
    await cache.set('small', 'value', 60);
    const [large, small] = await Promise.allSettled([cache.set('large', 'x'.repeat(600_000), 60), cache.get('small')]);
    expect(large).toMatchObject({ status: 'rejected', reason: { code: 'cache_away' } });
    expect(small).toMatchObject({ value: { value: 'value' } });
    await cache.close();
  });

  it.each(['before it wrote the question', 'before it read the answer'])(
    'is not taken for slow where this process was busy %s',
    async (moment) => {
      const memcached = await start();
      const patient = createMemcachedCache({ servers: [memcached.address], deadlineMs: 20_000 });
      await patient.set('a', 'value', 60);
      await patient.close();
      const cache = createMemcachedCache({ servers: [memcached.address], deadlineMs: 300 });
      await comesBack(cache);
      const found = cache.get('a');
      if (moment === 'before it read the answer') await turn();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
      expect((await found)?.value).toBe('value');
      await cache.close();
    },
  );

  describe('of several', () => {
    let three: Memcached[];
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    beforeAll(async () => {
      three = await Promise.all([start(), start(), start()]);
    });

    it('takes only its own keys with it', async () => {
      const [first, ...others] = three;
      const cache = createMemcachedCache({ servers: three.map(({ address }) => address), deadlineMs: 20_000 });
      await Promise.all(keys.map((key) => cache.set(key, key, 60)));
      const held = await Promise.all(three.map(async (memcached) => await memcached.dump()));
      expect(held.every((dump) => dump.includes('VALUE k'))).toBe(true);
      await first?.kill();
      const found = await Promise.allSettled(keys.map((key) => cache.get(key)));
      const lost = keys.filter((_, index) => found[index]?.status === 'rejected');
      expect(lost.length).toBeGreaterThan(0);
      expect(lost.every((key) => held[0]?.includes(`VALUE ${key} `))).toBe(true);
      for (const key of lost) {
        // No other server takes its place.
        await expect(cache.set(key, 'x', 60)).rejects.toMatchObject({ code: 'cache_away' });
        for (const other of others) expect(await other.ask(`get ${key}`)).not.toContain('VALUE');
      }
      await cache.close();
    });
  });

  it.each(['answers', 'hangs', 'is dead'])('that %s keeps no process from its end', async (state) => {
    const memcached = await start();
    if (state === 'hangs') await memcached.pause();
    if (state === 'is dead') await memcached.kill();
    const script = `
      import { createMemcachedCache } from ${JSON.stringify(join(import.meta.dirname, 'memcached-cache.ts'))};
      const cache = createMemcachedCache({ servers: [${JSON.stringify(memcached.address)}], deadlineMs: 500 });
      await cache.set('a', 'value', 60).catch(() => {});
      await cache.get('a').then(() => console.log('got'), (error) => console.log(error.code));
    `;
    const ended = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 60_000,
    });
    expect(ended.stdout.trim()).toBe(state === 'answers' ? 'got' : 'cache_away');
    expect(ended.stderr).toBe('');
  });
});
