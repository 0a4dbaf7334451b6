import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestStores, type TestStores } from '../../test/test-stores.ts';
import type { Connection } from '../connections/connection.ts';
import { createConnection } from '../connections/connection-service.ts';
import { createDatabaseUser, type NewDatabaseUser } from './create-user.ts';
import { createPasswordAuthentication, type PasswordHasher } from './password-authentication.ts';

const tenant = { tenantId: 'acme' };
let db: TestStores;
let people: Connection;
let withUsername: Connection;
let work: string[];

/** Says what it was asked, so that a test can count; the real one has tests of its own. */
const hasher: PasswordHasher = {
  async hash(_tenantId, password) {
    work.push('hash');
    return `new:${password}`;
  },
  async verify(_tenantId, password, stored) {
    work.push('verify');
    const [form, right] = (typeof stored === 'function' ? await stored() : stored)?.split(':') ?? [];
    return { valid: right === password, outdated: form === 'old' };
  },
};

beforeAll(async () => {
  db = await createTestStores();
  const connect = (name: string, options: Record<string, unknown>) =>
    db.transact((stores) => createConnection(stores, 'acme', { name, strategy: 'auth0', options }));
  people = await connect('people', {});
  withUsername = await connect('with-username', { requires_username: true });
  const create = (connection: Connection, input: NewDatabaseUser, hash: string) =>
    createDatabaseUser(db.stores, 'acme', connection, input, hash);
  await create(people, { email: 'ada@example.com' }, 'new:right');
  await create(people, { email: 'old@example.com' }, 'old:right');
  await create(people, { email: 'blocked@example.com', blocked: true }, 'new:right');
  await create(withUsername, { email: 'bob@example.com', username: 'bob' }, 'new:right');
});

afterAll(() => db.drop());
beforeEach(() => {
  work = [];
});

function authenticate(connection: Connection, identifier: string, password: string) {
  const { users, passwords } = db.stores;
  return createPasswordAuthentication({ users, passwords, hasher })(tenant, connection, identifier, password);
}

describe('a password login', () => {
  it.each(['ada@example.com', ' ADA@Example.com ', 'ａｄａ@example.com'])(
    'finds the one user behind %j',
    async (identifier) => {
      expect(await authenticate(people, identifier, 'right')).toMatchObject({
        outcome: 'ok',
        user: { email: 'ada@example.com' },
        identity: { connection: 'people' },
        rehashed: false,
      });
    },
  );

  it.each([
    ['a wrong password', 'ada@example.com', 'wrong', 'wrongPassword'],
    ['an unknown user', 'nobody@example.com', 'right', 'unknownUser'],
    ['a text that can be no identifier', 'a\0b', 'right', 'unknownUser'],
    ['a very long text', 'a'.repeat(100_000), 'right', 'unknownUser'],
    ['a blocked user', 'blocked@example.com', 'right', 'blocked'],
    ['a blocked user with a wrong password', 'blocked@example.com', 'wrong', 'wrongPassword'],
  ])('tells %s, and verifies exactly once', async (_case, identifier, password, outcome) => {
    expect(await authenticate(people, identifier, password)).toMatchObject({ outcome });
    expect(work).toEqual(['verify']);
  });

  it('takes a username only where the connection has usernames', async () => {
    expect(await authenticate(withUsername, 'BOB', 'right')).toMatchObject({ outcome: 'ok' });
    expect(await authenticate(withUsername, 'bob@example.com', 'right')).toMatchObject({ outcome: 'ok' });
    expect(await authenticate(people, 'bob', 'right')).toMatchObject({ outcome: 'unknownUser' });
  });

  it('makes an old hash better once, however many log in at the same time', async () => {
    const logins = await Promise.all(
      Array.from({ length: 10 }, () => authenticate(people, 'old@example.com', 'right')),
    );
    expect(logins.filter((login) => login.outcome === 'ok')).toHaveLength(10);
    expect(logins.filter((login) => login.outcome === 'ok' && login.rehashed)).toHaveLength(1);
    expect(await authenticate(people, 'old@example.com', 'right')).toMatchObject({ outcome: 'ok', rehashed: false });
  });
});
