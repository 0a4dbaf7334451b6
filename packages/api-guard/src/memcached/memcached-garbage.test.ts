import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { comesBack, countOutcomes } from '../../test/outcomes.ts';
import type { TokenCache } from '../caches/token-cache.ts';
import { createMemcachedCache, type ServerChange } from './memcached-cache.ts';

type Reply = (socket: Socket, line: string, opaque: string) => void;

/** As memcached does: under each key lies its name. */
const sane: Reply = (socket, line, opaque) => {
  const key = line.split(' ')[1] ?? '';
  socket.write(line.startsWith('mn') ? 'MN\r\n' : `VA ${key.length} c1 O${opaque}\r\n${key}\r\n`);
};

describe('a server that is no proper memcached', () => {
  let folder: string;
  let server: Server;
  let address: string;
  let reply: Reply = sane;
  let connections = 0;
  let cache: TokenCache;
  let changes: ServerChange[];
  const connect = (deadlineMs: number) =>
    createMemcachedCache({ servers: [address], deadlineMs, onChange: (change) => changes.push(change) });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gw-mc-'));
    address = join(folder, 's');
    server = createServer((socket) => {
      connections += 1;
      let text = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const lines = (text + chunk).split('\r\n');
        text = lines.pop() ?? '';
        for (const line of lines) reply(socket, line, / O(\w+)$/.exec(line)?.[1] ?? '');
      });
    }).listen(address);
    await once(server, 'listening');
  });
  beforeEach(async () => {
    reply = sane;
    changes = [];
    connections = 0;
  });
  afterEach(() => cache.close());
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each<[string, (opaque: string) => string]>([
    ['nonsense', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['bytes without an end', () => 'x'.repeat(100_000)],
    ['what is asked of it with ERROR', () => 'ERROR\r\n'],
    ['the question of somebody else', () => 'VA 3 c1 Ozzz\r\nbad\r\n'],
    ['without saying to what', () => 'VA 3 c1\r\nbad\r\n'],
    ['a miss of somebody else', () => 'EN Ozzz\r\n'],
    ['a read with what belongs to a write', (opaque) => `HD O${opaque}\r\n`],
    ['a huge value', (opaque) => `VA 99999999 c1 O${opaque}\r\nbad`],
    ['a value of another length', (opaque) => `VA 2 c1 O${opaque}\r\nbad\r\n`],
  ])('and answers %s gives no value, and is asked on a new connection afterwards', async (_what, answer) => {
    cache = connect(20_000);
    expect((await cache.get('right'))?.value).toBe('right');
    reply = (socket, line, opaque) =>
      line.startsWith('mn') ? sane(socket, line, opaque) : void socket.write(answer(opaque));
    const asked = await Promise.allSettled([cache.get('a'), cache.get('b'), cache.get('c')]);
    for (const outcome of asked) expect(outcome).toMatchObject({ reason: { code: 'cache_away' } });
    reply = sane;
    await comesBack(cache);
    expect(connections).toBeGreaterThan(1);
    expect((await cache.get('right'))?.value).toBe('right');
  });

  it('but one before 1.6.18, whose misses have no token, is understood', async () => {
    cache = connect(20_000);
    reply = (socket, line, opaque) =>
      line.startsWith('mg no') ? void socket.write('EN\r\n') : sane(socket, line, opaque);
    const found = await Promise.all(['a', 'no1', 'b', 'no2', 'c'].map((key) => cache.get(key)));
    expect(found.map((cached) => cached?.value)).toEqual(['a', undefined, 'b', undefined, 'c']);
    expect(connections).toBe(1);
  });

  it('and says something that nobody asked is asked on a new connection', async () => {
    cache = connect(20_000);
    reply = (socket, line, opaque) => {
      sane(socket, line, opaque);
      if (line.startsWith('mg first')) socket.write('VA 3 c1 O2\r\nbad\r\n');
    };
    expect((await cache.get('first'))?.value).toBe('first');
    await expect.poll(() => connections).toBe(2);
    await comesBack(cache);
    for (const key of ['a', 'b', 'c']) expect((await cache.get(key))?.value).toBe(key);
  });

  it('and answers late gives the answer to nobody else', async () => {
    cache = connect(300);
    await comesBack(cache);
    let sayRest = () => {};
    reply = (socket, line, opaque) => {
      if (!line.startsWith('mg late')) return sane(socket, line, opaque);
      socket.write(`VA 4 c1 O${opaque}\r\nla`);
      sayRest = () => socket.write('te\r\n');
    };
    await expect(cache.get('late')).rejects.toThrow('within 300 ms');
    reply = (socket, line, opaque) => {
      sayRest();
      sane(socket, line, opaque);
    };
    expect((await cache.get('next'))?.value).toBe('next');
    expect(connections).toBe(1);
  });

  it('and accepts connections without ever answering costs one deadline', async () => {
    reply = () => {};
    cache = connect(100);
    await expect(cache.get('a')).rejects.toThrow('within 100 ms');
    // Its kernel accepts each further attempt.
    await expect.poll(() => connections).toBeGreaterThan(1);
    await sleep(100);
    const outcomes = await countOutcomes(1_000, () => cache.get('a'));
    expect(
      Object.keys(outcomes).every((outcome) => /^memcached is away: it did not answer( in time)?\.$/.test(outcome)),
    ).toBe(true);
    reply = sane;
    await comesBack(cache);
  });

  it('and answers the noop alone costs a deadline with each attempt, and attempts become rare', async () => {
    reply = (socket, line, opaque) => void (line.startsWith('mn') && sane(socket, line, opaque));
    cache = connect(20);
    const until = performance.now() + 1_200;
    while (performance.now() < until) {
      await countOutcomes(1, () => cache.get('a'));
      await sleep(5);
    }
    // Pauses of at least 10, 20, 40 ... 500 ms, and a deadline with each.
    expect(connections).toBeLessThan(10);
    expect(connections).toBeGreaterThan(1);
  });

  it('and sends ever more without an end of an answer is away before long', async () => {
    let sending: NodeJS.Timeout | undefined;
    reply = (socket, line, opaque) => {
      if (line.startsWith('mn')) return sane(socket, line, opaque);
      if (sending) return;
      socket.write(`VA 900000 c1 O${opaque}\r\n`);
      sending = setInterval(() => socket.write('x'), 5);
    };
    cache = connect(50);
    await expect.poll(() => changes.at(-1)?.state).toBe('up');
    while (changes.at(-1)?.state === 'up') {
      await expect(cache.get('a')).rejects.toMatchObject({ code: 'cache_away' });
      await sleep(5);
    }
    clearInterval(sending);
    reply = sane;
    await comesBack(cache);
  });

  it('and closes connections that rest fails no call', async () => {
    cache = connect(20_000);
    for (let round = 1; round <= 3; round++) {
      const closed = new Promise<void>((resolve) => {
        reply = (socket, line, opaque) => {
          sane(socket, line, opaque);
          if (line.startsWith('mg')) socket.once('close', () => resolve()).end();
        };
      });
      expect((await cache.get('a'))?.value).toBe('a');
      await closed;
    }
    expect(changes).toEqual([{ server: address, state: 'up' }]);
    expect(connections).toBeGreaterThan(2);
  });

  it('and reads nothing is asked no more than it may hold', async () => {
    reply = () => {};
    cache = connect(20_000);
    const value = 'x'.repeat(1_000_000);
    const writes = Array.from({ length: 80 }, (_, index) => cache.set(`k${index}`, value, 60));
    const refused = writes.slice(64).map((write) => expect(write).rejects.toThrow('too much to do'));
    await Promise.all(refused);
    await cache.close();
    for (const outcome of await Promise.allSettled(writes)) expect(outcome.status).toBe('rejected');
  });
});
