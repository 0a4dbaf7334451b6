import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNamed } from '../../src/management/catalogue.ts';
import { startWorld, type World } from '../world.ts';
import { examplesFor, FOR_END_USERS } from './examples.ts';
import { type Home, inhabit } from './inhabited-tenant.ts';

let world: World;
let home: Home;
beforeAll(async () => {
  world = await startWorld();
  home = await inhabit(world, world.main);
});
afterAll(() => world.stop());

interface Written {
  readonly type: string;
  readonly body: string;
}

async function written(): Promise<Written[]> {
  const { rows } = await world.database.pool.query(
    `select type, body::text as body from log_events where tenant_id = 'dev' and type like '%api%' order by xid, seq`,
  );
  return rows;
}

/** What was written since the last look. */
function journal() {
  let seen = 0;
  return async (): Promise<Written[]> => {
    const all = await written();
    const fresh = all.slice(seen);
    seen = all.length;
    return fresh;
  };
}

describe('the audit log', () => {
  it('has one sapi event for each change, none for a read and none for what was refused', async () => {
    const fresh = journal();
    const { client, connection } = home;
    await fresh();
    for (const [path, body] of [
      ['/roles', { name: 7 }],
      ['/roles', { name: `Keeper of ${world.main.tenant}` }],
      ['/client-grants', { client_id: client, audience: 'https://nothing.example/', scope: [] }],
      ['/connections', { name: home.connectionName, strategy: 'auth0' }],
      ['/users', { connection: home.connectionName, email: home.email, password: home.password }],
    ] as const) {
      expect((await home.manage.post(path, body)).statusCode, path).toBeGreaterThanOrEqual(400);
    }
    expect((await home.manage.delete(`/connections/${connection}/users`)).statusCode).toBe(400);
    expect(await fresh()).toEqual([]);

    for (const [name, { path, body }] of Object.entries(examplesFor(home))) {
      if (FOR_END_USERS.has(name)) continue;
      const { method, status } = operationNamed(name);
      const verb = method.toLowerCase() as Lowercase<typeof method>;
      const response = await home.manage[verb](path, body);
      expect([name, response.statusCode]).toEqual([name, status]);
      const events = await fresh();
      if (method === 'GET') expect([name, events.filter(({ type }) => type === 'sapi')]).toEqual([name, []]);
      else {
        expect([name, events.map(({ type }) => type)]).toEqual([name, ['sapi']]);
        expect(JSON.parse(events[0]?.body ?? '')).toMatchObject({
          client_name: 'Management',
          details: { request: { method: method.toLowerCase(), path: `/api/v2${path.split('?', 1)[0]}` } },
        });
      }
    }
  });

  it('holds no secret, however it came or went, and neither does an answer hold a private key', async () => {
    const secrets = ['a-secret-of-a-client-0123456789', 'a-secret-of-an-api-0123456789', 'Correct horse 6 battery'];
    const [clientSecret = '', apiSecret = '', password = ''] = secrets;
    const { manage, tenant } = home;
    const created = (await manage.post('/clients', { name: 'Secretive' })).json();
    const path = `/clients/${created.client_id}`;
    const responses = [
      await manage.patch(path, { client_secret: clientSecret }),
      await manage.get(path),
      await manage.post(`${path}/rotate-secret`),
      await manage.post('/resource-servers', {
        identifier: 'https://secretive.example/',
        signing_alg: 'HS256',
        signing_secret: apiSecret,
      }),
      await manage.post('/users', { connection: tenant.connection, email: 'secretive@example.com', password }),
      await manage.post('/keys/signing/rotate'),
      await manage.get('/keys/signing'),
    ];
    for (const { statusCode, body } of responses) expect(statusCode, body).toBeLessThan(300);
    const rotated = responses[2]?.json().client_secret;
    const log = (await written()).map(({ body }) => body).join('\n');
    expect(log).toContain('"client_secret": "*****"');
    for (const secret of [...secrets, created.client_secret, rotated]) expect(log).not.toContain(secret);
    const said = [log, ...responses.map(({ body }) => body), (await manage.get('/logs?per_page=100')).body].join('\n');
    expect(said).not.toMatch(/PRIVATE KEY|"(d|p|q|dp|dq|qi)":|argon2id/);
  });

  it('tells who read a secret, and only then', async () => {
    const fresh = journal();
    await fresh();
    const { client_id } = world.password_client;
    const keeper = world.api('read:clients', 'read:client_keys');
    expect((await keeper.get(`/clients/${client_id}`)).json().client_secret).toBe(world.password_client.client_secret);
    expect((await fresh()).map(({ type }) => type)).toEqual(['mgmt_api_read']);
    await keeper.get('/clients');
    expect((await fresh()).map(({ type }) => type)).toEqual(['mgmt_api_read']);
    await keeper.get(`/clients/${client_id}?fields=client_id,name`);
    const reader = await world.api('read:clients').get(`/clients/${client_id}`);
    expect(reader.json()).not.toHaveProperty('client_secret');
    expect(reader.json()).not.toHaveProperty('signing_keys');
    expect(await fresh()).toEqual([]);
  });
});
