import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestUser } from '../../test/protocol.ts';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { startWorld, type World } from '../../test/world.ts';

let database: TestDatabase;
let world: World;
const statements: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  database.pool.on('connect', listenTo);
  world = await startWorld({ database, worksByItself: false });
});
afterAll(async () => {
  await world.stop();
  await database.drop();
});

describe('a request for a new password (attack L1)', () => {
  it('runs the same statements for somebody, for nobody, and for somebody who is blocked', async () => {
    const known = await createTestUser(world, 'known');
    const blocked = await createTestUser(world, 'blocked');
    await world.api().patch(`/users/${encodeURIComponent(blocked.id)}`, { blocked: true });
    const asked = async (email: string) => {
      statements.length = 0;
      const json = { client_id: world.spa_client.client_id, connection: world.connection, email };
      expect((await world.request({ path: '/dbconnections/change_password', json })).statusCode).toBe(200);
      // What the sender of logout tokens does by itself, from time to time, is nobody's request.
      return statements.filter((text) => !text.includes('logout_deliveries'));
    };
    await asked('warm-up@example.org');
    const ofKnown = await asked(known.email);
    expect(ofKnown.filter((text) => /insert into (tickets|mails)/.test(text))).toHaveLength(2);
    expect(await asked('stranger@example.org')).toEqual(ofKnown);
    expect(await asked(blocked.email)).toEqual(ofKnown);
  });
});

/** Writes down what a connection is asked. */
function listenTo(client: pg.PoolClient): void {
  const query: (...given: unknown[]) => unknown = client.query.bind(client);
  Object.assign(client, {
    query(...given: unknown[]) {
      const [first] = given;
      statements.push(typeof first === 'string' ? first : String(Object(first).text));
      return query(...given);
    },
  });
}
