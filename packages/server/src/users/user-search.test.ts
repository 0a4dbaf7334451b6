import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, type TestStores } from '../../test/test-stores.ts';
import { createConnection } from '../connections/connection-service.ts';
import { createDatabaseUser, type NewDatabaseUser } from './create-user.ts';
import { compileUserSearch, type SearchRequest } from './user-search.ts';

let db: TestStores;

beforeAll(async () => {
  db = await createTestStores();
  const { users } = db.stores;
  const connect = (name: string, isSystem = false) =>
    db.transact((stores) =>
      createConnection(stores, 'acme', { name, strategy: 'auth0', isSystem, options: { requires_username: false } }),
    );
  const people = await connect('people');
  const staff = await connect('staff');
  const admins = await connect('gatewright-admins', true);
  const create = (connection: typeof people, input: NewDatabaseUser) =>
    createDatabaseUser(db.stores, 'acme', connection, input, 'hash');
  await create(people, {
    userId: 'ada',
    email: 'Ada@Example.com',
    name: 'Ada Lovelace',
    emailVerified: true,
    appMetadata: { plan: 'gold', seats: 12, teams: [{ name: 'red' }, { name: 'blue' }], 'odd"key': 'x' },
    userMetadata: { color: 'green', plan: 'secret' },
  });
  await create(people, {
    userId: 'bob',
    email: 'bob@example.org',
    name: 'Bob 100%_\\',
    blocked: true,
    appMetadata: { seats: 7, trial: true },
  });
  await create(staff, { userId: 'eve', email: 'eve@example.com', givenName: 'Eve' });
  await create(admins, { userId: 'root', email: 'root@example.com' });
  await users.recordLogin('acme', { userId: 'auth0|eve', lastPasswordReset: undefined }, '10.0.0.1');
  await sql`update users set created_at = '2024-02-29T12:00:00Z' where user_id = 'auth0|ada'`.execute(db.database);
});

afterAll(() => db.drop());

async function found(request: SearchRequest): Promise<string[]> {
  const lists = db.stores.userLists;
  const search = compileUserSearch(request);
  const users = await lists.window('acme', search, 0, 50);
  expect(await lists.count('acme', search)).toBe(users.length);
  return users.map(({ userId }) => userId.slice('auth0|'.length));
}

describe('a search for users', () => {
  it.each<[string, string[]]>([
    ['', ['ada', 'bob', 'eve']],
    ['email:"ADA@example.com"', ['ada']],
    ['email.domain:example.com', ['ada', 'eve']],
    ['email:*', ['ada', 'bob', 'eve']],
    ['name:ada*', ['ada']],
    ['name:*lovel*', ['ada']],
    ['name:"Ada"', []],
    ['name:"bob 100%_\\\\"', ['bob']],
    ['name:*00%_*', ['bob']],
    ['name:*00__*', []],
    ['given_name:eve', ['eve']],
    ['"ada lovelace"', ['ada']],
    ['green', []],
    ['user_id:"auth0|bob"', ['bob']],
    ['user_id:"AUTH0|bob"', []],
    ['blocked:true', ['bob']],
    ['blocked:false AND email_verified:true', ['ada']],
    ['NOT blocked:true', ['ada', 'eve']],
    ['-name:ada* -blocked:true', ['ada', 'bob', 'eve']],
    ['(email:ada* OR email:bob*) AND NOT blocked:true', ['ada']],
    ['identities.connection:staff', ['eve']],
    ['identities.provider:auth0', ['ada', 'bob', 'eve']],
    ['identities.connection:gatewright-admins', []],
    ['app_metadata.plan:gold', ['ada']],
    ['app_metadata.plan:g*', ['ada']],
    ['app_metadata.teams.name:blue', ['ada']],
    ['app_metadata.seats:12', ['ada']],
    ['app_metadata.trial:true', ['bob']],
    ['app_metadata.teams:red', []],
    ['app_metadata.seats:[7 TO 12}', ['bob']],
    ['app_metadata.seats:{7 TO *]', ['ada']],
    ['app_metadata.plan:[a TO z]', ['ada']],
    ['user_metadata.color:green', ['ada']],
    ['_exists_:app_metadata.seats', ['ada', 'bob']],
    ['NOT _exists_:logins_count', ['ada', 'bob']],
    ['logins_count:[1 TO 5]', ['eve']],
    ['logins_count:1', ['eve']],
    ['last_ip:10.0.0.1', ['eve']],
    ['created_at:2024-02-29', ['ada']],
    ['created_at:2024*', ['ada']],
    ['created_at:[2024-02 TO 2024-02]', ['ada']],
    ['created_at:{2024-02-29 TO *]', ['bob', 'eve']],
    ['created_at:["2024-02-29T12:00:00Z" TO "2024-02-29T13:30:00+01:00"]', ['ada']],
  ])('by %s finds %j', async (q, ids) => {
    expect(await found({ q })).toEqual(ids);
  });

  it('stays in the connection that is asked for, and never shows administrators', async () => {
    expect(await found({ connection: 'people' })).toEqual(['ada', 'bob']);
    expect(await found({ connection: 'gatewright-admins' })).toEqual([]);
    expect(await db.stores.userLists.byEmail('acme', 'root@example.com')).toEqual([]);
  });

  it('sorts by a field, both ways, and puts missing values last', async () => {
    expect(await found({ sort: 'email:-1' })).toEqual(['eve', 'bob', 'ada']);
    expect(await found({ sort: 'created_at:1' })).toEqual(['ada', 'bob', 'eve']);
    expect(await found({ sort: 'last_login:-1' })).toEqual(['eve', 'bob', 'ada']);
  });

  it.each([
    { q: 'user_metadata.color:gr*' },
    { q: 'user_metadata.color:[a TO z]' },
    { q: 'password_hash:x' },
    { q: 'constructor:x' },
    { q: 'blocked:maybe' },
    { q: 'logins_count:many' },
    { q: 'created_at:yesterday' },
    { q: 'created_at:2023-02-29' },
    { q: 'created_at:[2024-13 TO *]' },
    { q: 'name:*a*' },
    { q: 'email:"' },
    { sort: 'user_metadata.color:1' },
    { sort: 'email:1, (select 1)' },
    { sort: 'email' },
    { searchEngine: 'v2' },
  ])('is refused with 400 for %j', (request) => {
    expect(() => compileUserSearch(request)).toThrowError(
      expect.objectContaining({ status: 400, code: 'invalid_query_string' }),
    );
  });

  it('takes a hostile value for what it is: a value', async () => {
    for (const value of [`' or 1=1 --`, '$1', 'a\\" || 1=1', `"; drop table users; --`]) {
      expect(await found({ q: `name:${JSON.stringify(value)}` })).toEqual([]);
      expect(await found({ connection: value })).toEqual([]);
    }
    expect(await found({})).toHaveLength(3);
  });
});
