import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FirstRun } from '../../src/tenants/first-run.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { call, managementAt, tokenFor } from './calls.ts';
import { place, run } from './command.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterAll(() => database.drop());

const SHARED = { GATEWRIGHT_SECRET: 'wV9mG2xQ7tR4kZ1pL6nB3cY8sD5fH0jA', GATEWRIGHT_BOOTSTRAP: '1', HTTPS_PORT: '0' };

describe('Two servers that start at once on one empty database', () => {
  it('make one tenant, and each sees at once what the other changes', async () => {
    const places = await Promise.all([place(), place()]);
    const servers = places.map(({ env }) => run(['start'], { env: { ...env, ...SHARED, DATABASE_URL: database.url } }));
    await Promise.all(servers.map((server) => server.says('Ready after')));
    expect(servers.filter((server) => server.printed().includes("Made the tenant 'dev'"))).toHaveLength(1);
    const files = places.map(({ dataDir }) => join(dataDir, 'first-run.json')).filter((file) => existsSync(file));
    expect(files).toHaveLength(1);
    const firstRun: FirstRun = JSON.parse(await readFile(files[0] ?? '', 'utf8'));
    const [here, there] = places.map(({ http }) => `http://localhost:${http}`) as [string, string];
    const { rows } = await database.pool.query('select count(*)::int as tenants from tenants');
    expect(rows).toEqual([{ tenants: 1 }]);

    // A token of one is good at the other.
    const token = await tokenFor(here, firstRun);
    const [api, other] = [managementAt(here, token), managementAt(there, token)];
    const { body: client } = await api('POST', '/clients', { name: 'Backend', app_type: 'non_interactive' });
    const grant = { client_id: client.client_id, audience: firstRun.api.identifier, scope: ['read:items'] };
    expect(await api('POST', '/client-grants', grant)).toMatchObject({ status: 201 });
    const asClient = { client_id: String(client.client_id), client_secret: String(client.client_secret) };
    const exchange = () =>
      call(there, '/oauth/token', {
        form: { grant_type: 'client_credentials', audience: firstRun.api.identifier, ...asClient },
      });
    await vi.waitFor(async () => expect(await exchange()).toMatchObject({ status: 200 }), { timeout: 60_000 });

    await api('PATCH', '/tenants/settings', { friendly_name: 'Changed here' });
    await vi.waitFor(
      async () => expect((await other('GET', '/tenants/settings')).body.friendly_name).toBe('Changed here'),
      { timeout: 60_000 },
    );

    const { body: rotated } = await api('POST', '/keys/signing/rotate');
    await vi.waitFor(
      async () =>
        expect(JSON.stringify((await call(there, '/.well-known/jwks.json')).body)).toContain(String(rotated.kid)),
      { timeout: 60_000 },
    );

    await api('DELETE', `/clients/${client.client_id}`);
    await vi.waitFor(async () => expect((await exchange()).status).toBe(401), { timeout: 60_000 });
    expect(servers.map((server) => server.printed()).join('')).not.toMatch(/error/i);
    for (const server of servers) expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});
