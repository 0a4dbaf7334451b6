import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, passwordGrant, refresh } from '../../test/protocol.ts';
import { CALLBACK } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';
import { createLog } from '../kit/log.ts';
import { createHousekeeper } from './housekeeper.ts';

const HOUR = 3_600_000;
const TABLES = [
  'login_transactions',
  'sessions',
  'authorization_codes',
  'access_tokens',
  'token_grants',
  'refresh_tokens',
];

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

async function counts(): Promise<Record<string, number>> {
  const entries = TABLES.map(async (table) => {
    const { rows } = await world.database.pool.query(`select count(*)::int as n from ${table}`);
    return [table, rows[0].n];
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('the housekeeper', () => {
  it('removes what has expired and leaves what is alive', async () => {
    const { pool } = world.database;
    const housekeeper = createHousekeeper({ pool, now: world.now, log: createLog('json', () => {}) });
    const { code, verifier } = await world.visitor().logIn();
    const client_id = world.spa_client.client_id;
    const tokens = await world.token({
      grant_type: 'authorization_code',
      client_id,
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    });
    await world.visitor().authorize();

    await housekeeper.sweep();
    expect(await counts()).toEqual({
      login_transactions: 1,
      sessions: 1,
      authorization_codes: 1,
      access_tokens: 1,
      token_grants: 1,
      refresh_tokens: 1,
    });

    world.advance(26 * HOUR);
    await housekeeper.sweep();
    expect(await counts()).toEqual({
      login_transactions: 0,
      sessions: 1,
      authorization_codes: 0,
      access_tokens: 0,
      token_grants: 1,
      refresh_tokens: 1,
    });
    const { refresh_token } = tokens.json();
    expect((await world.token({ grant_type: 'refresh_token', client_id, refresh_token })).statusCode).toBe(200);

    world.advance(100 * 24 * HOUR);
    await housekeeper.sweep();
    expect(await counts()).toEqual({
      login_transactions: 0,
      sessions: 0,
      authorization_codes: 0,
      access_tokens: 0,
      token_grants: 0,
      refresh_tokens: 0,
    });
  });

  it('leaves a refresh token that does not rotate as long as it is used', async () => {
    const { pool } = world.database;
    const housekeeper = createHousekeeper({ pool, now: world.now, log: createLog('json', () => {}) });
    const client = await createTestClient(world, {
      grant_types: ['password', 'refresh_token'],
      refresh_token: { rotation_type: 'non-rotating', expiration_type: 'expiring', infinite_token_lifetime: true },
    });
    const { refresh_token } = (await passwordGrant(world, { ...client, scope: 'openid offline_access' })).json();
    for (let tenDays = 0; tenDays < 6; tenDays++) {
      world.advance(10 * 24 * HOUR);
      await housekeeper.sweep();
      const response = await refresh(world, refresh_token, { ...client });
      expect({ tenDays, status: response.statusCode }).toEqual({ tenDays, status: 200 });
    }
  });

  it('keeps up with a flood: rotated tokens go by thousands, and it says when more is left', async () => {
    const { pool } = world.database;
    const housekeeper = createHousekeeper({ pool, now: world.now, log: createLog('json', () => {}) });
    await housekeeper.sweep();
    await passwordGrant(world, { scope: 'openid offline_access' });
    const long = new Date(world.now().getTime() - 26 * HOUR);
    await pool.query(
      `insert into refresh_tokens (tenant_id, token_hash, token_id, grant_id, rotating, idle_expires_at, rotated_at)
       select tenant_id, 'hash-' || n, 'id-' || n, grant_id, true, $1, $1
       from (select tenant_id, grant_id from token_grants order by created_at desc limit 1) g, generate_series(1, 1200) n`,
      [long],
    );
    await pool.query(
      `insert into jobs (tenant_id, job_id, type, status, created_at, expires_at)
       select 'dev', 'job-' || n, 'verification_email', 'completed', $1, $1 from generate_series(1, 10001) n`,
      [long],
    );
    expect(await housekeeper.sweep()).toBe(true);
    const { rows } = await pool.query(
      `select (select count(*)::int from refresh_tokens where rotated_at is not null) as rotated, (select count(*)::int from jobs) as jobs`,
    );
    expect(rows).toEqual([{ rotated: 0, jobs: 1 }]);
    expect(await housekeeper.sweep()).toBe(false);
  });
});
