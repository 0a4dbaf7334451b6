import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { created, createTestUser, eventTypesOf } from '../../../server/test/protocol.ts';
import { rule, setRules } from '../../../server/test/rules/rules.ts';
import { startListeningWorld } from '../../test/listening-world.ts';
import { describeWithMemcached, type Memcached, startMemcached } from '../../test/memcached.ts';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { CacheAwayError, type TokenCache } from '../caches/token-cache.ts';
import { createMemcachedCache } from '../memcached/memcached-cache.ts';
import { type BrokerEvent, createSessionBroker, type Refreshed, type SessionBrokerOptions } from './session-broker.ts';

const PROGRAM = fileURLToPath(new URL('../../test/broker-process.ts', import.meta.url));
const AUDIENCE = 'https://venues.example/';
const ROTATED = 'sertft';
const REVOKED = 'srrt';

let server: Awaited<ReturnType<typeof startListeningWorld>>;
let user: Awaited<ReturnType<typeof createTestUser>>;
let settings: Record<'issuer' | 'audience' | 'clientId' | 'clientSecret' | 'secret', string>;
let cache: TokenCache;
let events: BrokerEvent[];
beforeAll(async () => {
  // Containers that start on a busy machine.
  server = await startListeningWorld({ containerLimits: { jobMs: 100_000, startMs: 100_000 } });
  const api = { identifier: AUDIENCE, name: 'Venues', scopes: [], allow_offline_access: true };
  await created(server.world.api().post('/resource-servers', api));
  const { client_id: clientId, client_secret: clientSecret } = server.world.password_client;
  settings = { issuer: server.issuer, audience: AUDIENCE, clientId, clientSecret, secret: 's'.repeat(32) };
});
afterAll(() => server?.stop());
let serial = 0;
beforeEach(async () => {
  user = await createTestUser(server.world, `faults-${++serial}`);
  cache = createMemoryCache({ now: server.now });
  events = [];
});

describe('a cache that can’t be written just when the server has rotated', () => {
  it('and is back at once costs a moment, and no second rotation', async () => {
    const { accessToken } = await logIn();
    let failures = 3;
    const hasty = broker({ cache: withFault(() => failures-- > 0) });
    const types = await eventTypesOf(server.world, async () => {
      const { accessToken: next } = await hasty.refresh(accessToken);
      expect(await broker().refresh(accessToken)).toMatchObject({ accessToken: next });
    });
    expect(types).toEqual([ROTATED]);
    expect(events).toEqual([]);
  });

  it('is made good by another process within the server’s leeway', async () => {
    const { accessToken } = await logIn();
    const failing = broker({ cache: withFault(() => true) });
    await expect(failing.refresh(accessToken)).rejects.toMatchObject({ code: 'away' });
    const { accessToken: next } = await broker().refresh(accessToken);
    expect(await broker().refresh(next)).toHaveProperty('accessToken');
    // What this process still has is nobody's any more.
    await failing.close();
    expect(events.map(({ type }) => type)).toEqual(['write_delayed', 'cache_away', 'write_failed']);
  });

  it('is made good by the same process after the leeway too, and the server sees no token twice', async () => {
    const { accessToken } = await logIn();
    let isAway = true;
    const failing = broker({ cache: withFault(() => isAway) });
    const types = await eventTypesOf(server.world, async () => {
      await expect(failing.refresh(accessToken)).rejects.toMatchObject({ code: 'away' });
      server.world.advance(120_000);
      isAway = false;
      const { accessToken: next } = await failing.refresh(accessToken);
      expect(await broker().refresh(accessToken)).toMatchObject({ accessToken: next });
      await broker().refresh(next);
    });
    expect(types).toEqual([ROTATED, ROTATED]);
  });

  it('is written by close, where it is back then', async () => {
    const { accessToken } = await logIn();
    let isAway = true;
    const closing = broker({ cache: withFault(() => isAway) });
    await expect(closing.refresh(accessToken)).rejects.toMatchObject({ code: 'away' });
    isAway = false;
    await closing.close();
    server.world.advance(29_000);
    expect(await broker().refresh(accessToken)).toHaveProperty('accessToken');
    expect(events.map(({ type }) => type)).not.toContain('write_failed');
  });
});

describe('a cache that fails during a logout', () => {
  it('keeps nothing from being revoked, once the session is out of it', async () => {
    const { accessToken } = await logIn();
    const undeletable = { ...cache, delete: () => Promise.reject(new CacheAwayError('away')) };
    expect(await broker({ cache: undeletable }).logout(accessToken)).toEqual({ ended: true, revoked: true });
    await expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'unknown_session' });
  });

  it('on the way from the old access token to the new one lets the old one end the session later', async () => {
    const { accessToken } = await logIn();
    const { accessToken: next } = await broker().refresh(accessToken);
    const failing = broker({ cache: { ...cache, replace: () => Promise.reject(new CacheAwayError('away')) } });
    await expect(failing.logout(accessToken)).rejects.toMatchObject({ code: 'away' });
    expect(await broker().logout(accessToken)).toEqual({ ended: true, revoked: true });
    await expect(broker().refresh(next)).rejects.toMatchObject({ code: 'unknown_session' });
  });
});

describe('a logout while the server is away', () => {
  it('ends the session here, and there as soon as it is back', async () => {
    const { accessToken } = await logIn();
    const ending = broker({ revocationDelaysMs: [10, ...Array.from({ length: 600 }, () => 100)] });
    await server.away(async () => {
      expect(await ending.logout(accessToken)).toEqual({ ended: true, revoked: false });
      await expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'unknown_session' });
    });
    await expect.poll(revocations, { timeout: 60_000 }).toContain(REVOKED);
    expect(events[0]).toMatchObject({ type: 'revocation_delayed' });
    await ending.close();
  });

  it('says so where the server never heard of it', async () => {
    const { accessToken } = await logIn();
    await server.away(() => broker({ revocationDelaysMs: [] }).logout(accessToken));
    expect(events).toContainEqual(expect.objectContaining({ type: 'revocation_failed' }));
  });

  it('is told by close, where the server is back then', async () => {
    const { accessToken } = await logIn();
    const closing = broker({ revocationDelaysMs: [3_600_000] });
    await server.away(() => closing.logout(accessToken));
    await closing.close();
    expect(await revocations()).toContain(REVOKED);
    expect(events.map(({ type }) => type)).toEqual(['revocation_delayed']);
  });

  it.each([
    ['is away', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'never answers',
      (_url: unknown, init?: RequestInit) =>
        new Promise<Response>((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    ],
  ])('is said to be left by close, which waits for no server that %s', async (_what, asking) => {
    const sessions = [await logIn(), await logIn()];
    const closing = broker({ revocationDelaysMs: [3_600_000], fetch: asking, deadlineMs: 100 });
    for (const { accessToken } of sessions)
      expect(await closing.logout(accessToken)).toEqual({ ended: true, revoked: false });
    await closing.close();
    expect(events.at(-1)).toMatchObject({
      type: 'revocation_failed',
      message: expect.stringContaining('2 sessions were not revoked'),
    });
    const { accessToken } = await logIn();
    await closing.logout(accessToken);
    expect(events.at(-1)).toMatchObject({ type: 'revocation_failed' });
  });
});

describe('a rule that demands a second factor', () => {
  it('refuses the login and the refresh, and leaves the session as it is', async () => {
    const { accessToken } = await logIn();
    await setRules(server.world, [rule("context.multifactor = { provider: 'any' };")]);
    const refused = { code: 'mfa_required', status: 403 };
    await expect(logIn()).rejects.toMatchObject(refused);
    await expect(broker().refresh(accessToken)).rejects.toMatchObject(refused);
    await setRules(server.world, []);
    expect(await broker().refresh(accessToken)).toHaveProperty('accessToken');
  });
});

describeWithMemcached('sessions of several processes with one memcached', () => {
  let memcached: Memcached;
  let shared: TokenCache;
  beforeAll(async () => {
    memcached = await startMemcached();
    shared = createMemcachedCache({ servers: [memcached.address], deadlineMs: 1_000 });
  });
  afterAll(async () => {
    await shared?.close();
    await memcached?.stop();
  });
  const login = () => broker({ cache: shared }).login(user.email, user.password);

  it('twenty refreshes at once in two processes are one rotation, and all get the same token', async () => {
    const { accessToken } = await login();
    const types = await eventTypesOf(server.world, async () => {
      const [one, two] = await Promise.all([refreshElsewhere(accessToken, 10), refreshElsewhere(accessToken, 10)]);
      const results = [...one.results, ...two.results];
      expect(results).toHaveLength(20);
      expect(new Set(results.map((result) => result.accessToken)).size).toBe(1);
    });
    expect(types).toEqual([ROTATED]);
  });

  it('a process that dies between the rotation and its write leaves the session to the next one', async () => {
    const { accessToken } = await login();
    const { signal } = await refreshElsewhere(accessToken, 1, { crash: true });
    expect(signal).toBe('SIGKILL');
    // Once the lock of the dead one has ended.
    const { accessToken: next } = await broker({ cache: shared, deadlineMs: 1_000 }).refresh(accessToken);
    expect(await broker({ cache: shared }).refresh(next)).toHaveProperty('accessToken');
  });

  it('a memcached that hangs just when the server has rotated costs no second rotation', async () => {
    const { accessToken } = await login();
    const get: TokenCache['get'] = (key) =>
      shared.get(key).catch((error) => {
        memcached.resume();
        throw error;
      });
    const asking: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (String(init?.body).includes('grant_type=refresh_token')) await memcached.pause();
      return response;
    };
    const hanging = broker({ cache: { ...shared, get }, fetch: asking });
    const types = await eventTypesOf(server.world, async () => {
      const outcome = () => hanging.refresh(accessToken).then(Object.keys, (error) => error.code);
      await expect.poll(outcome, { timeout: 60_000 }).toEqual(['accessToken', 'expiresAt']);
    });
    expect(types).toEqual([ROTATED]);
    await hanging.close();
  });

  it('memcached holds no token, user or secret in the clear', async () => {
    const session = await login();
    const { accessToken } = await broker({ cache: shared }).refresh(session.accessToken);
    const dump = await memcached.dump();
    expect(dump).toContain('gw1:');
    for (const token of [accessToken, session.accessToken, accessToken.split('.')[1] ?? '', user.email, user.id])
      expect(dump).not.toContain(token);
    // Text that is encrypted may hold any three letters; a token has two parts that begin so.
    expect(dump).not.toMatch(/refreshToken|eyJ[\w-]+\.eyJ/);
  });

  async function refreshElsewhere(accessToken: string, times: number, { crash = false } = {}) {
    const given = JSON.stringify({
      settings: { ...settings, memcached: memcached.address, deadlineMs: 2_000 },
      accessToken,
      times,
      crash,
    });
    const child = spawn(process.execPath, [PROGRAM, given], { stdio: ['ignore', 'pipe', 'inherit'] });
    const printed: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    const [, signal] = await once(child, 'close');
    const results: Refreshed[] = JSON.parse(Buffer.concat(printed).toString() || '[]');
    return { signal, results };
  }
});

function broker(changes: Partial<SessionBrokerOptions> = {}) {
  return createSessionBroker({
    ...settings,
    cache,
    now: server.now,
    onEvent: (event) => events.push(event),
    tokenEndpoint: `${server.origin}/oauth/token`,
    revocationEndpoint: `${server.origin}/oauth/revoke`,
    ...changes,
  });
}

const logIn = () => broker().login(user.email, user.password);

/** The lock is taken, and the entry of the new access token is not. */
function withFault(isAway: () => boolean): TokenCache {
  const add: TokenCache['add'] = (key, ...others) =>
    !key.endsWith('.lock') && isAway() ? Promise.reject(new CacheAwayError('away')) : cache.add(key, ...others);
  return { ...cache, add };
}

async function revocations(): Promise<string[]> {
  const records: { type: string; user_id?: string }[] = (
    await server.world.api('read:logs').get('/logs?per_page=20')
  ).json();
  return records.filter(({ user_id }) => user_id === user.id).map(({ type }) => type);
}
