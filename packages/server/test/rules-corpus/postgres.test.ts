import { connect } from 'node:net';
import { join } from 'node:path';
import { hash } from 'bcrypt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/containers/job.ts';
import { MODULE_STORE } from '../../src/containers/module-folders.ts';
import { startContainers } from '../containers/harness.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { corpusJob } from './corpus.ts';

/** As the operator names it; the test's own PostgreSQL is behind it, a unix socket or a port of loopback. */
const TARGET = 'db.intranet.example:5432';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
  await database.pool.query('create table accounts (id text, nickname text, email text, password text)');
  await database.pool.query('insert into accounts values ($1, $2, $3, $4)', [
    '7',
    'ada',
    'ada@example.com',
    await hash('a password', 4),
  ]);
});
afterAll(() => database.drop());

const { execute } = startContainers({
  moduleStore: MODULE_STORE,
  egressOf: async () => ({ mode: 'deny-private', hosts: [], intranet: [TARGET] }),
  connectIntranet: async () => {
    const { hostname, port, searchParams } = new URL(database.url);
    const socket = searchParams.get('host');
    return socket?.startsWith('/')
      ? connect(join(socket, `.s.PGSQL.${searchParams.get('port') ?? (port || '5432')}`))
      : connect(Number(port || 5432), hostname);
  },
});

function script(name: string, ...given: readonly string[]): Job {
  const { username, password, pathname } = new URL(database.url);
  const { searchParams } = new URL(database.url);
  const user = username || searchParams.get('user') || '';
  const secret = password === '' ? '' : `:${password}`;
  const address = `postgres://${user}${secret}@${TARGET}${pathname}`;
  return {
    ...corpusJob(name),
    kind: 'database',
    input: { arguments: given, configuration: { DATABASE: address } },
  };
}

describe('a script of a custom database on PostgreSQL', () => {
  it('lets in who knows the password', async () => {
    expect(await execute(script('postgres-login', 'ada@example.com', 'a password'))).toMatchObject({
      ok: true,
      result: { results: [{ user_id: '7', nickname: 'ada', email: 'ada@example.com' }] },
    });
  });

  it.each([
    ['ada@example.com', 'another'],
    ['nobody@example.com', 'a password'],
  ])('refuses %s with the password %j', async (email, password) => {
    expect(await execute(script('postgres-login', email, password))).toMatchObject({
      ok: false,
      failure: { error: { name: 'WrongUsernameOrPasswordError', userId: email, message: 'Wrong email or password.' } },
    });
  });

  it('that throws in a callback of a connection of an earlier one fails by itself, at once', async () => {
    for (const name of ['first', 'second']) {
      expect(await execute(script('postgres-throws', name))).toMatchObject({
        ok: false,
        failure: { kind: 'threw', error: { message: `thrown for ${name}` } },
      });
    }
  });

  it('finds the globals postgres and pg', async () => {
    expect(await execute(script('postgres-globals', 'ada@example.com', 'x'))).toMatchObject({
      ok: true,
      result: { results: [{ email: 'ada@example.com', answer: 42 }] },
    });
  });
});
