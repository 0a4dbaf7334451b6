import type { Response } from 'light-my-request';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type World, type WorldRequest } from '../world.ts';
import { createProxiedDatabase, type ProxiedDatabase } from './database-proxy.ts';

let database: ProxiedDatabase;
let world: World;
let token: string;
beforeAll(async () => {
  database = await createProxiedDatabase();
  world = await startWorld({ database });
  token = await world.managementToken();
});
afterEach(() => database.restore());
afterAll(async () => {
  await world.stop();
  await database.drop();
});

const clientCredentials = () => ({
  grant_type: 'client_credentials',
  ...world.password_client,
  audience: 'https://api.example.com/',
});

/** One request of each kind, and the shape that its errors have. */
const REQUESTS: readonly (readonly [
  what: string,
  shape: 'oauth' | 'management' | 'page',
  asked: () => WorldRequest,
])[] = [
  ['a token', 'oauth', () => ({ path: '/oauth/token', form: clientCredentials() })],
  [
    'a login',
    'oauth',
    () => ({
      path: '/oauth/token',
      form: {
        ...world.password_client,
        grant_type: 'password',
        username: world.user.email,
        password: world.user.password,
      },
    }),
  ],
  [
    'a refresh',
    'oauth',
    () => ({
      path: '/oauth/token',
      form: { ...world.password_client, grant_type: 'refresh_token', refresh_token: 'any' },
    }),
  ],
  ['a revocation', 'oauth', () => ({ path: '/oauth/revoke', form: { ...world.password_client, token: 'any' } })],
  ['userinfo', 'oauth', () => ({ path: '/userinfo', headers: { authorization: 'Bearer some-opaque-token' } })],
  ['a Management read', 'management', () => ({ path: '/api/v2/users', headers: bearer() })],
  ['a Management write', 'management', () => ({ path: '/api/v2/roles', json: { name: 'never' }, headers: bearer() })],
  [
    'the login page',
    'page',
    () => ({
      path: `/authorize?client_id=${world.spa_client.client_id}&response_type=code&redirect_uri=${encodeURIComponent('http://localhost:5555/callback')}`,
    }),
  ],
  ['a step of a login', 'page', () => ({ path: '/u/login?state=any', headers: { cookie: '__Host-gw-dev-login=any' } })],
  ['a logout', 'page', () => ({ path: '/v2/logout', headers: { cookie: '__Host-gw-dev=any' } })],
];

const bearer = () => ({ authorization: `Bearer ${token}` });

function expectUnavailable(response: Response, shape: 'oauth' | 'management' | 'page', what: string): void {
  expect({ what, status: response.statusCode }, response.body.slice(0, 300)).toEqual({ what, status: 503 });
  expect({ what, wait: Number(response.headers['retry-after']) }).toEqual({ what, wait: expect.toBeOneOf([1, 2]) });
  if (shape === 'page') expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
  else if (shape === 'oauth')
    expect(response.json()).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
  else
    expect(response.json()).toMatchObject({
      statusCode: 503,
      error: 'Service Unavailable',
      errorCode: 'temporarily_unavailable',
    });
}

async function status(path: string): Promise<number> {
  return (await world.request({ path })).statusCode;
}

describe('While the database is away', () => {
  it('everything is told to come again, and comes back without a restart, without anything stale', async () => {
    const doomed = (await world.api().post('/clients', { name: 'Doomed', app_type: 'non_interactive' })).json();
    const asDoomed = () =>
      world.token({ ...clientCredentials(), client_id: doomed.client_id, client_secret: doomed.client_secret });
    // Known, but without a grant for the API: its configuration is in memory now.
    expect((await asDoomed()).json().error).toBe('access_denied');
    world.log.length = 0;

    await database.cut();
    expect(await status('/health/live')).toBe(200);
    expect(await status('/health/ready')).toBe(503);
    expect(await status('/testall')).toBe(503);
    expect(await status('/test')).toBe(200);
    for (const [what, shape, asked] of REQUESTS) expectUnavailable(await world.request(asked()), shape, what);
    // What this process can not hear of.
    await database.direct.pool.query('delete from clients where client_id = $1', [doomed.client_id]);

    await database.restore();
    await vi.waitFor(async () => expect(await status('/health/ready')).toBe(200), { timeout: 60_000, interval: 50 });
    expect((await asDoomed()).json()).toEqual({ error: 'access_denied', error_description: 'Unauthorized' });
    const before = await exchanges();
    expect((await world.token(clientCredentials())).statusCode).toBe(200);
    expect(await exchanges()).toBe(before + 1);
    // One line for the loss and one for the return, whatever came in between.
    await vi.waitFor(() => expect(world.log.map((line) => JSON.parse(line).level)).toEqual(['warn', 'info']), 60_000);
  });

  it('a request that found it hanging is answered all the same, and the next ones after it work', async () => {
    expect((await world.token(clientCredentials())).statusCode).toBe(200);
    database.hang();
    const asked = performance.now();
    expect(await status('/testall')).toBe(503);
    // OPS.35.
    expect(performance.now() - asked).toBeLessThan(5_000);
    const began = performance.now();
    const answers = await Promise.all(REQUESTS.map(([, , asked]) => world.request(asked())));
    expect(performance.now() - began).toBeLessThan(12_000);
    for (const [index, [what, shape]] of REQUESTS.entries()) {
      const response = answers[index];
      if (response) expectUnavailable(response, shape, what);
    }
    expect(await status('/health/live')).toBe(200);
    await database.restore();
    await vi.waitFor(async () => expect(await status('/health/ready')).toBe(200), { timeout: 60_000, interval: 100 });
    expect((await world.token(clientCredentials())).statusCode).toBe(200);
    expect((await world.request({ path: '/api/v2/users', headers: bearer() })).statusCode).toBe(200);
  });
});

async function exchanges(): Promise<number> {
  const { rows } = await database.direct.pool.query(`select count(*)::int as n from log_events where type = 'seccft'`);
  return rows[0].n;
}

describe('While the database', () => {
  const change = (on: string) => database.direct.pool.query(on);

  it('takes no writes, as a standby does, what needs one is told to come again, and reads go on', async () => {
    const { rows } = await database.direct.pool.query<{ name: string }>('select current_database() as name');
    const name = rows[0]?.name;
    // Terminated backends end a moment later: until then they would still answer, or die under the next request.
    const reconnect = async () => {
      const ended = await change(`select pid, pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name = 'gatewright'`);
      const pids = ended.rows.map(({ pid }) => pid);
      const left = () => database.direct.pool.query('select pid from pg_stat_activity where pid = any ($1)', [pids]);
      await vi.waitFor(async () => expect((await left()).rows).toEqual([]), { timeout: 60_000, interval: 50 });
    };
    await change(`alter database ${name} set default_transaction_read_only = on`);
    await reconnect();
    await vi.waitFor(async () => expect(await status('/health/ready')).toBe(200), { timeout: 60_000, interval: 100 });
    for (const [what, shape, asked] of REQUESTS.slice(0, 2))
      expectUnavailable(await world.request(asked()), shape, what);
    const role = await world.request({ path: '/api/v2/roles', json: { name: 'never' }, headers: bearer() });
    expectUnavailable(role, 'management', 'a Management write');
    expect((await world.request({ path: '/api/v2/users', headers: bearer() })).statusCode).toBe(200);
    await change(`alter database ${name} reset default_transaction_read_only`);
    await reconnect();
    await vi.waitFor(async () => expect((await world.token(clientCredentials())).statusCode).toBe(200), {
      timeout: 60_000,
      interval: 100,
    });
  });

  it('has no room left, nothing is acknowledged, and nothing half done stays', async () => {
    // What PostgreSQL says when its disk is full.
    await change(`create function full_disk() returns trigger language plpgsql as $$
      begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`);
    await change('create trigger full_disk before insert on log_events for each row execute function full_disk()');
    for (const [what, shape, asked] of REQUESTS.slice(0, 2))
      expectUnavailable(await world.request(asked()), shape, what);
    const role = await world.request({ path: '/api/v2/roles', json: { name: 'half' }, headers: bearer() });
    expectUnavailable(role, 'management', 'a Management write');
    await change('drop trigger full_disk on log_events');
    const roles = (await world.request({ path: '/api/v2/roles', headers: bearer() })).json();
    expect(roles.map(({ name }: { name: string }) => name)).not.toContain('half');
    expect((await world.token(clientCredentials())).statusCode).toBe(200);
  });
});
