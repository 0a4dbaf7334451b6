import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import type { Connection } from '../connections/connection.ts';
import { createConnectionClientStore } from '../connections/connection-client-store.ts';
import { createConnection } from '../connections/connection-service.ts';
import { createConnectionStore } from '../connections/connection-store.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { createTenantStore } from '../tenants/tenant-store.ts';
import { createDatabaseUser } from './create-user.ts';
import { createPasswordStore } from './password-store.ts';
import { createUserStore } from './user-store.ts';

let database: TestDatabase;
let db: Database;
let directory: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase(database.pool);
  for (const tenantId of ['acme', 'other']) {
    await createTenantStore(db).insert({ tenantId, environment: 'development', isDefault: false, settings: {} });
  }
  const stores = { connections: createConnectionStore(db), connectionClients: createConnectionClientStore(db) };
  directory = await db.transaction().execute((transaction) =>
    createConnection(
      {
        connections: createConnectionStore(transaction),
        connectionClients: createConnectionClientStore(transaction),
      },
      'acme',
      { name: 'people', strategy: 'auth0', options: { requires_username: true } },
    ),
  );
  expect(await stores.connections.find('acme', directory.id)).toEqual(directory);
});

afterAll(() => database.drop());

function create(email: string, username: string) {
  return createDatabaseUser({ users: createUserStore(db) }, 'acme', directory, { email, username }, 'hash-1');
}

describe('users of a directory', () => {
  it('are found by e-mail and by username in any case and width, with their password hash', async () => {
    const ada = await create('Ada@Example.com', 'ada');
    const users = createUserStore(db);
    for (const keys of [
      { email: 'ada@example.com', username: 'ada@example.com', phone: undefined },
      { email: 'ada', username: 'ada', phone: undefined },
    ]) {
      expect(await users.findLogin('acme', directory.id, keys)).toEqual({
        user: ada,
        identity: ada.identities[0],
        passwordHash: 'hash-1',
      });
    }
    expect(
      await users.findLogin('other', directory.id, { email: 'ada@example.com', username: undefined, phone: undefined }),
    ).toBeUndefined();
  });

  it('exist once for an e-mail, however many create it at the same time', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => create('race@example.com', `race${n}`)),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ status: 409, code: 'auth0_idp_error' });
    }
    const { rows } = await database.pool.query(`select 1 from users where email = 'race@example.com'`);
    expect(rows).toHaveLength(1);
  });

  it('exist once for a username', async () => {
    await create('first@example.com', 'taken');
    await expect(create('second@example.com', 'Taken')).rejects.toMatchObject({
      status: 409,
      message: 'The username already exists.',
    });
  });

  it('count each of many logins at once', async () => {
    const user = await create('count@example.com', 'count');
    const { userId } = user;
    const users = createUserStore(db);
    await Promise.all(Array.from({ length: 20 }, () => users.recordLogin('acme', user, '127.0.0.1')));
    expect(await users.find('acme', userId)).toMatchObject({ loginsCount: 20, lastIp: '127.0.0.1' });
    expect(await users.recordLogin('other', user, '127.0.0.1')).toBeUndefined();
  });

  it('are not logged in where a new password or a block came between the check and the login', async () => {
    const user = await create('between@example.com', 'between');
    const users = createUserStore(db);
    const [identity] = user.identities;
    if (!identity) throw new Error('no identity');
    await createPasswordStore(db).set('acme', identity, 'changed', 0);
    expect(await users.recordLogin('acme', user, '127.0.0.1')).toBeUndefined();
    const since = await users.find('acme', user.userId);
    if (!since) throw new Error('no user');
    expect(await users.recordLogin('acme', since, '127.0.0.1')).toBe(1);
    await users.update('acme', { ...since, blocked: true });
    expect(await users.recordLogin('acme', since, '127.0.0.1')).toBeUndefined();
  });

  it('keep a password that was changed while an older hash of it was made better', async () => {
    const user = await create('hash@example.com', 'hash');
    const passwords = createPasswordStore(db);
    const [identity] = user.identities;
    if (!identity) throw new Error('no identity');
    expect(await passwords.set('acme', identity, 'changed', 0)).toBe(true);
    expect(await passwords.replaceHash('acme', identity, 'hash-1', 'better')).toBe(false);
    expect(await passwords.replaceHash('acme', identity, 'changed', 'better')).toBe(true);
  });

  it('keep as many former passwords as the connection asks for, newest first', async () => {
    const [identity] = (await create('history@example.com', 'history')).identities;
    if (!identity) throw new Error('no identity');
    const passwords = createPasswordStore(db);
    for (const hash of ['hash-2', 'hash-3', 'hash-4']) await passwords.set('acme', identity, hash, 2);
    expect(await passwords.hashes('acme', identity, 24)).toEqual(['hash-4', 'hash-3', 'hash-2']);
    await passwords.set('acme', identity, 'hash-5', 0);
    expect(await passwords.hashes('acme', identity, 24)).toEqual(['hash-5']);
  });

  it('go with their connection, and no user is left behind by one who signs up meanwhile', async () => {
    const connections = createConnectionStore(db);
    const made = await db.transaction().execute((transaction) =>
      createConnection(
        {
          connections: createConnectionStore(transaction),
          connectionClients: createConnectionClientStore(transaction),
        },
        'acme',
        { name: 'short-lived', strategy: 'auth0' },
      ),
    );
    const signUp = (n: number) =>
      createDatabaseUser({ users: createUserStore(db) }, 'acme', made, { email: `leaver${n}@example.com` }, 'hash');
    await signUp(0);
    const [removed, ...signUps] = await Promise.allSettled([
      db.transaction().execute((transaction) => createConnectionStore(transaction).remove('acme', made.id)),
      ...Array.from({ length: 10 }, (_, n) => signUp(n + 1)),
    ]);
    expect(removed).toEqual({ status: 'fulfilled', value: true });
    for (const one of signUps) {
      if (one.status === 'rejected')
        expect(String(one.reason)).toMatch(/The connection does not exist|was just inserted/);
    }
    expect(await connections.find('acme', made.id)).toBeUndefined();
    const { rows } = await database.pool.query(`select 1 from users where email like 'leaver%'`);
    expect(rows).toHaveLength(0);
  });
});
