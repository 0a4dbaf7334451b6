import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectOf } from '../../src/kit/json-values.ts';
import { created, createTestUser, type LogRecord } from '../protocol.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld({
    backgroundLimits: { mostOfTenant: 1, patienceMs: 500, lastWordsMs: 10_000 },
  });
  manage = world.api();
});
afterAll(() => world.stop());

const PASSWORD = 'Correct-horse-battery-7';
const after = (...bodies: string[]) =>
  setActions(
    world,
    'post-user-registration',
    bodies.map((body) => action('onExecutePostUserRegistration', body)),
  );
const signUpOf = (name: string) => ({
  path: '/dbconnections/signup',
  json: {
    client_id: world.spa_client.client_id,
    connection: world.connection,
    email: `${name}@example.org`,
    password: PASSWORD,
  },
});
const failuresOf = async (name: string): Promise<LogRecord[]> =>
  ((await world.events()) as LogRecord[]).filter(
    ({ type, user_name }) => type === 'actions_execution_failed' && user_name === `${name}@example.org`,
  );

describe('what runs after a change', () => {
  it('is told of where too much is running, and then neither its hook nor its actions have run', async () => {
    const hook = await created(
      manage.post('/hooks', {
        name: 'after',
        triggerId: 'post-user-registration',
        enabled: true,
        script: 'module.exports = (user, context, cb) => cb(new Error("ran for " + user.email));',
      }),
    );
    await after(`await new Promise((done) => setTimeout(done, 2_000)); throw new Error('slow one has ended');`);
    expect((await world.request(signUpOf('first'))).statusCode).toBe(200);
    expect((await world.request(signUpOf('second'))).statusCode).toBe(200);
    expect(await failuresOf('second')).toMatchObject([
      {
        description: 'post-user-registration was not run: too much is running',
        details: { trigger_id: 'post-user-registration', failure: 'busy' },
      },
    ]);
    await expect
      .poll(() => failuresOf('first'))
      .toMatchObject([{ details: { error: { message: 'slow one has ended' } } }]);
    const hooked = ((await world.events()) as LogRecord[]).filter(({ type }) => type === 'fpurh');
    expect(hooked.map(({ description }) => description)).toEqual(['ran for first@example.org']);
    await manage.delete(`/hooks/${hook.id}`);
    await after();
  });

  it('changes no answer by an error of ours: it is an event, and a line for the operator', async () => {
    const user = await createTestUser(world, 'renamed');
    const { pool } = world.database;
    await pool.query('alter table hooks rename to hooks_away');
    try {
      const answer = await manage.patch(`/users/${user.id}`, { password: 'Another-horse-battery-8' });
      expect(answer.statusCode, answer.body).toBe(200);
    } finally {
      await pool.query('alter table hooks_away rename to hooks');
    }
    const [event] = ((await world.events()) as LogRecord[]).filter(({ type }) => type === 'actions_execution_failed');
    expect(event).toMatchObject({
      description: 'post-change-password was not run: an internal error',
      details: { failure: 'internal' },
    });
    expect(world.log.join('\n')).toContain('a trigger after a change failed');
  });

  it('is told of where the server stops before it has ended', async () => {
    await after('await new Promise(() => {});');
    const second = await world.secondServer();
    expect((await second.request(signUpOf('stopped'))).statusCode).toBe(200);
    await second.stop();
    const [event, ...others] = await failuresOf('stopped');
    expect(others).toEqual([]);
    expect(event?.description).toMatch(/^(?:action \d+|post-user-registration): /);
    expect(objectOf(event?.details)).toMatchObject({
      trigger_id: 'post-user-registration',
      execution_id: expect.any(String),
    });
    await after();
  });
});
