import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';
import { ADMIN_CONNECTION } from '../connections/connection.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const adminId = async (): Promise<string> => {
  const { rows } = await world.database.pool.query(
    `select user_id from users where tenant_id = 'dev' and is_system order by seq limit 1`,
  );
  return rows[0].user_id;
};

async function verify(password: string): Promise<boolean> {
  const { stores } = world.app;
  const connection = await stores.connections.findByName('dev', ADMIN_CONNECTION);
  const keys = { email: world.admin.email, username: undefined, phone: undefined };
  const login = await stores.users.findLogin('dev', connection?.id ?? '', keys);
  const { verify: check } = await import('@node-rs/argon2');
  return check(login?.passwordHash ?? '', password);
}

describe('gatewright admin reset', () => {
  it('gives the administrator a new password, ends sessions and tokens, lifts a block, and is an event', async () => {
    const userId = await adminId();
    const { pool } = world.database;
    const day = "now() + interval '1 day'";
    await pool.query(
      `insert into sessions (tenant_id, session_id, cookie_hash, user_id, connection_id, authenticated_at,
      idle_expires_at, expires_at) select 'dev', 'one', 'hash', $1, id, now(), ${day}, ${day} from connections limit 1`,
      [userId],
    );
    await pool.query(`update users set blocked = true where user_id = $1`, [userId]);
    expect(await verify(world.admin.password)).toBe(true);

    const made = await world.app.resetAdmin('dev', undefined);
    expect(made).toEqual({ tenant: 'dev', email: world.admin.email, password: expect.stringMatching(/^[\w-]{20}$/) });
    expect(await verify(world.admin.password)).toBe(false);
    expect(await verify(made.password)).toBe(true);
    const left = await pool.query(`select from sessions where user_id = $1`, [userId]);
    expect(left.rows).toEqual([]);
    const admin = await pool.query(`select blocked from users where user_id = $1`, [userId]);
    expect(admin.rows).toEqual([{ blocked: false }]);
    const event = (await world.events()).find(({ type }) => type === 'scp');
    expect(event).toMatchObject({ user_id: userId, connection: ADMIN_CONNECTION });
    expect(JSON.stringify(event)).not.toContain(made.password);
  });

  it('asked twice at once leaves one of the two passwords, and no half', async () => {
    const both = await Promise.all([
      world.app.resetAdmin('dev', world.admin.email.toUpperCase()),
      world.app.resetAdmin('dev', world.admin.email),
    ]);
    const valid = await Promise.all(both.map(({ password }) => verify(password)));
    expect(valid.filter(Boolean)).toHaveLength(1);
  });

  it('names the administrators where it does not know whom', async () => {
    await expect(world.app.resetAdmin('dev', world.user.email)).rejects.toThrow(
      `'${world.user.email}' is no administrator of the tenant 'dev'; there is ${world.admin.email}.`,
    );
    await world.database.pool.query(
      `insert into users (tenant_id, user_id, email, is_system) values ('dev', 'auth0|second', 'second@dev.example.com', true)`,
    );
    await expect(world.app.resetAdmin('dev', undefined)).rejects.toThrow(
      `The tenant 'dev' has several administrators: name one with --email (${world.admin.email}, second@dev.example.com).`,
    );
    const acme = await world.createTenant('acme');
    await expect(world.app.resetAdmin('acme', world.admin.email)).rejects.toThrow(
      /is no administrator of the tenant 'acme'/,
    );
    expect(await world.app.resetAdmin('acme', undefined)).toMatchObject({ email: acme.admin.email });
  });
});
