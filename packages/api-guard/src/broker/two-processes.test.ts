import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { created, createTestUser, eventTypesOf } from '../../../server/test/protocol.ts';
import { startListeningWorld } from '../../test/listening-world.ts';
import { describeWithMemcached, type Memcached, startMemcached } from '../../test/memcached.ts';
import { createMemcachedCache } from '../memcached/memcached-cache.ts';
import { createSessionBroker, type Refreshed } from './session-broker.ts';

const PROGRAM = fileURLToPath(new URL('../../test/broker-process.ts', import.meta.url));
const AUDIENCE = 'https://venues.example/';

describeWithMemcached('sessions of several processes with one memcached', () => {
  let server: Awaited<ReturnType<typeof startListeningWorld>>;
  let memcached: Memcached;
  let user: Awaited<ReturnType<typeof createTestUser>>;
  let settings: Record<'issuer' | 'audience' | 'clientId' | 'clientSecret' | 'secret' | 'memcached', string>;
  beforeAll(async () => {
    [server, memcached] = await Promise.all([startListeningWorld(), startMemcached()]);
    const api = { identifier: AUDIENCE, name: 'Venues', scopes: [], allow_offline_access: true };
    await created(server.world.api().post('/resource-servers', api));
    user = await createTestUser(server.world, 'shared');
    const { client_id: clientId, client_secret: clientSecret } = server.world.password_client;
    const { issuer } = server;
    settings = {
      issuer,
      audience: AUDIENCE,
      clientId,
      clientSecret,
      secret: 's'.repeat(32),
      memcached: memcached.address,
    };
  });
  afterAll(async () => {
    await memcached?.stop();
    await server?.stop();
  });

  it('twenty refreshes at once in two processes are one rotation, and all get the same token', async () => {
    const { accessToken } = await broker().login(user.email, user.password);
    const types = await eventTypesOf(server.world, async () => {
      const [one, two] = await Promise.all([refreshElsewhere(accessToken, 10), refreshElsewhere(accessToken, 10)]);
      const results = [...one.results, ...two.results];
      expect(results).toHaveLength(20);
      expect(new Set(results.map((result) => result.accessToken)).size).toBe(1);
    });
    expect(types).toEqual(['sertft']);
  });

  it('a process that dies between the rotation and its write leaves the session to the next one', async () => {
    const { accessToken } = await broker().login(user.email, user.password);
    const { signal } = await refreshElsewhere(accessToken, 1, { crash: true });
    expect(signal).toBe('SIGKILL');
    // Once the lock of the dead one has ended.
    const { accessToken: next } = await broker().refresh(accessToken);
    expect(await broker().refresh(next)).toHaveProperty('accessToken');
  });

  it('memcached holds no token, user or secret in the clear', async () => {
    const session = await broker().login(user.email, user.password);
    const { accessToken } = await broker().refresh(session.accessToken);
    const dump = await memcached.dump();
    expect(dump).toContain('gw1:');
    for (const token of [accessToken, session.accessToken, accessToken.split('.')[1] ?? '', user.email, user.id])
      expect(dump).not.toContain(token);
    // Text that is encrypted may hold any three letters; a token has two parts that begin so.
    expect(dump).not.toMatch(/refreshToken|eyJ[\w-]+\.eyJ/);
  });

  function broker() {
    const { memcached: address, ...options } = settings;
    const cache = createMemcachedCache({ servers: [address], deadlineMs: 1_000 });
    return createSessionBroker({ ...options, cache, deadlineMs: 1_000 });
  }

  async function refreshElsewhere(accessToken: string, times: number, { crash = false } = {}) {
    const given = JSON.stringify({ settings: { ...settings, deadlineMs: 2_000 }, accessToken, times, crash });
    const child = spawn(process.execPath, [PROGRAM, given], { stdio: ['ignore', 'pipe', 'inherit'] });
    const printed: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    const [, signal] = await once(child, 'close');
    const results: Refreshed[] = JSON.parse(Buffer.concat(printed).toString() || '[]');
    return { signal, results };
  }
});
