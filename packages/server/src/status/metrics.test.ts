import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePrometheus, type Sample, sumOf } from '../../test/prometheus-text.ts';
import { passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

const TOKEN = 'metrics-of-this-installation';

let world: World;
beforeAll(async () => {
  world = await startWorld({ config: { metricsToken: TOKEN } });
});
afterAll(() => world.stop());

interface Asked {
  readonly remoteAddress?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask({ remoteAddress = '127.0.0.1', headers = {} }: Asked = {}) {
  const all = { host: 'localhost:3000', ...headers };
  return world.app.http.inject({ method: 'GET', url: '/metrics', remoteAddress, headers: all });
}

async function scrape(): Promise<Sample[]> {
  const response = await ask();
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parsePrometheus(response.body);
}

describe('GET /metrics', () => {
  it('counts logins and tokens by grant and outcome, once they are committed', async () => {
    const count = async () => {
      const samples = await scrape();
      const exchanges = (grant: string, outcome: string) =>
        sumOf(samples, 'gatewright_token_exchanges_total', { grant, outcome });
      return {
        code: exchanges('password', 'success'),
        failed: exchanges('password', 'failure'),
        machines: exchanges('client_credentials', 'success'),
        logins: sumOf(samples, 'gatewright_logins_total', { outcome: 'success' }),
        refused: sumOf(samples, 'gatewright_logins_total', { outcome: 'failure' }),
      };
    };
    const before = await count();
    expect((await passwordGrant(world)).statusCode).toBe(200);
    expect((await passwordGrant(world, { password: 'wrong' })).statusCode).toBe(403);
    await world.managementToken();
    await world.visitor().logIn();
    const after = await count();
    expect(after.code - before.code).toBe(1);
    expect(after.machines - before.machines).toBe(1);
    expect(after.logins - before.logins).toBe(1);
    expect(after.failed + after.refused - before.failed - before.refused).toBeGreaterThanOrEqual(1);
  });

  it('counts requests by route template, method and class of status, and no id becomes a label', async () => {
    const api = world.api();
    const { user_id } = (await api.get('/users')).json()[0];
    await api.get(`/users/${encodeURIComponent(user_id)}`);
    await api.get('/users/auth0%7Cnobody');
    for (const path of ['/nonsense-1', '/nonsense-2?secret=hidden', '/api/v2/nonsense-3'])
      await world.request({ path });
    const samples = await scrape();
    const name = 'gatewright_http_request_duration_seconds_count';
    const route = '/api/v2/users/:id';
    expect(sumOf(samples, name, { route, method: 'GET', status: '2xx' })).toBe(1);
    expect(sumOf(samples, name, { route, method: 'GET', status: '4xx' })).toBe(1);
    expect(sumOf(samples, name, { route: 'unknown', status: '4xx' })).toBe(3);
    const labels = JSON.stringify(samples.map((sample) => sample.labels));
    for (const secret of [user_id, 'nobody', 'nonsense', 'hidden', world.tenant, world.spa_client.client_id])
      expect(labels.includes(secret), secret).toBe(false);
  });

  it('shows event loop, connections, hashing and the log writer', async () => {
    const names = new Set((await scrape()).map(({ name }) => name));
    for (const name of [
      'nodejs_eventloop_lag_seconds',
      'process_resident_memory_bytes',
      'gatewright_processes',
      'gatewright_database_connections',
      'gatewright_database_requests_waiting',
      'gatewright_passwords_waiting',
      'gatewright_hash_processes',
      'gatewright_events_waiting',
    ])
      expect(names).toContain(name);
  });

  it.each<[string, Asked]>([
    ['another machine', { remoteAddress: '192.0.2.7' }],
    [
      'another machine that names this one',
      { remoteAddress: '192.0.2.7', headers: { 'x-forwarded-for': '127.0.0.1' } },
    ],
    ['a proxy on this machine', { headers: { 'x-forwarded-for': '192.0.2.7' } }],
    ['a proxy that says what it is', { headers: { via: '1.1 proxy' } }],
    ['a proxy with a header of its own', { headers: { 'x-real-ip': '127.0.0.1' } }],
    ['RFC 7239', { headers: { forwarded: 'for=127.0.0.1' } }],
    ['a proxy that passes the host on', { headers: { host: 'login.example.com' } }],
    ['a wrong token', { remoteAddress: '192.0.2.7', headers: { authorization: 'Bearer metrics-of-another-one' } }],
    ['an empty token', { remoteAddress: '192.0.2.7', headers: { authorization: 'Bearer ' } }],
  ])('is not there for %s', async (_who, asked) => {
    const response = await ask(asked);
    expect(response.statusCode).toBe(404);
    expect(response.body).not.toContain('gatewright_');
  });

  it('is not there for a proxy that says nothing of itself, and speaks HTTP/1.0 as nginx does unless it is told otherwise', async () => {
    const server = createServer(world.app.http.routing);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      const statusOf = async (version: string) => {
        const socket = connect(Number(port), '127.0.0.1');
        socket.end(`GET /metrics HTTP/${version}\r\nHost: localhost:3000\r\nConnection: close\r\n\r\n`);
        return Buffer.concat(await socket.toArray())
          .toString()
          .split('\r\n', 1)[0];
      };
      expect([await statusOf('1.0'), await statusOf('1.1')]).toEqual(['HTTP/1.1 404 Not Found', 'HTTP/1.1 200 OK']);
    } finally {
      server.close();
    }
  });

  it('is there for who shows the token, from anywhere', async () => {
    const headers = { authorization: `Bearer ${TOKEN}`, host: 'login.example.com' };
    const response = await ask({ remoteAddress: '192.0.2.7', headers });
    expect(response.statusCode).toBe(200);
    expect(parsePrometheus(response.body).length).toBeGreaterThan(20);
  });
});

describe('What Auth0’s monitoring asks', () => {
  it('/test tells the clock', async () => {
    const before = Date.now();
    const { clock } = (await world.request({ path: '/test' })).json();
    expect(clock).toBeGreaterThanOrEqual(before);
    expect(clock).toBeLessThanOrEqual(Date.now());
  });

  it('/testall says OK', async () => {
    const response = await world.request({ path: '/testall' });
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 200, body: 'OK' });
    expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
  });
});
