import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, type TestStores } from '../../test/test-stores.ts';
import type { Connection } from '../connections/connection.ts';
import { createConnection } from '../connections/connection-service.ts';
import { createDatabaseUser } from './create-user.ts';

let db: TestStores;
let directory: Connection;

beforeAll(async () => {
  db = await createTestStores();
  directory = await db.transact((stores) =>
    createConnection(stores, 'acme', { name: 'people', strategy: 'auth0', options: { requires_username: true } }),
  );
  expect(await db.stores.connections.find('acme', directory.id)).toEqual(directory);
});

afterAll(() => db.drop());

function create(email: string, username: string) {
  return createDatabaseUser(db.stores, 'acme', directory, { email, username }, 'hash-1');
}

describe('users of a directory', () => {
  it('are found by e-mail and by username in any case and width, with their password hash', async () => {
    const ada = await create('Ada@Example.com', 'ada');
    const { users } = db.stores;
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
      await users.findLogin('dev', directory.id, { email: 'ada@example.com', username: undefined, phone: undefined }),
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
    const { rows } = await db.pool.query(`select 1 from users where email = 'race@example.com'`);
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
    const { users } = db.stores;
    await Promise.all(Array.from({ length: 20 }, () => users.recordLogin('acme', user, '127.0.0.1')));
    expect(await users.find('acme', userId)).toMatchObject({ loginsCount: 20, lastIp: '127.0.0.1' });
    expect(await users.recordLogin('dev', user, '127.0.0.1')).toBeUndefined();
  });

  it('are not logged in where a new password or a block came between the check and the login', async () => {
    const user = await create('between@example.com', 'between');
    const { users } = db.stores;
    const [identity] = user.identities;
    if (!identity) throw new Error('no identity');
    await db.stores.passwords.set('acme', identity, 'changed', 0);
    expect(await users.recordLogin('acme', user, '127.0.0.1')).toBeUndefined();
    const since = await users.find('acme', user.userId);
    if (!since) throw new Error('no user');
    expect(await users.recordLogin('acme', since, '127.0.0.1')).toBe(1);
    await users.update('acme', { ...since, blocked: true });
    expect(await users.recordLogin('acme', since, '127.0.0.1')).toBeUndefined();
  });

  it('keep a password that was changed while an older hash of it was made better', async () => {
    const user = await create('hash@example.com', 'hash');
    const { passwords } = db.stores;
    const [identity] = user.identities;
    if (!identity) throw new Error('no identity');
    expect(await passwords.set('acme', identity, 'changed', 0)).toBe(true);
    expect(await passwords.replaceHash('acme', identity, 'hash-1', 'better')).toBe(false);
    expect(await passwords.replaceHash('acme', identity, 'changed', 'better')).toBe(true);
  });

  it('keep as many former passwords as the connection asks for, newest first', async () => {
    const [identity] = (await create('history@example.com', 'history')).identities;
    if (!identity) throw new Error('no identity');
    const { passwords } = db.stores;
    for (const hash of ['hash-2', 'hash-3', 'hash-4']) await passwords.set('acme', identity, hash, 2);
    expect(await passwords.hashes('acme', identity, 24)).toEqual(['hash-4', 'hash-3', 'hash-2']);
    await passwords.set('acme', identity, 'hash-5', 0);
    expect(await passwords.hashes('acme', identity, 24)).toEqual(['hash-5']);
  });

  it('go with their connection, and no user is left behind by one who signs up meanwhile', async () => {
    const { connections } = db.stores;
    const made = await db.transact((stores) =>
      createConnection(stores, 'acme', { name: 'short-lived', strategy: 'auth0' }),
    );
    const signUp = (n: number) =>
      createDatabaseUser(db.stores, 'acme', made, { email: `leaver${n}@example.com` }, 'hash');
    await signUp(0);
    const [removed, ...signUps] = await Promise.allSettled([
      db.transact((stores) => stores.connections.remove('acme', made.id)),
      ...Array.from({ length: 10 }, (_, n) => signUp(n + 1)),
    ]);
    expect(removed).toEqual({ status: 'fulfilled', value: true });
    for (const one of signUps) {
      if (one.status === 'rejected')
        expect(String(one.reason)).toMatch(/The connection does not exist|was just inserted/);
    }
    expect(await connections.find('acme', made.id)).toBeUndefined();
    const { rows } = await db.pool.query(`select 1 from users where email like 'leaver%'`);
    expect(rows).toHaveLength(0);
  });
});
