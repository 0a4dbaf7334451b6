import { ManagementClient } from 'auth0';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { trustAuthority } from './trust-authority.ts';

const SIZES = [0, 1, 51, 101];
const AT_ONCE = 8;
const PASSWORD = 'Correct horse 1';
vi.setConfig({ testTimeout: 90_000 });

let server: ServerProcess;
let auth0: ManagementClient;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  auth0 = new ManagementClient({
    domain: new URL(server.origin).host,
    clientId: server.firstRun.management.client_id,
    clientSecret: server.firstRun.management.client_secret,
  });
});
afterAll(() => server?.stop());

/** A collection as `auth0` sees it: its own pages, turned by its own iterator. */
interface Collection {
  create(index: number): Promise<unknown>;
  list(): Promise<AsyncIterable<object>>;
  idOf(item: object): string;
  remove(id: string): Promise<unknown>;
}

const collections: Record<string, () => Promise<Collection>> = {
  clients: async () => ({
    create: (index) => auth0.clients.create({ name: `Native ${index}`, app_type: 'native' }),
    list: () => auth0.clients.list({ app_type: 'native' }),
    idOf: (item) => text(item, 'client_id'),
    remove: (id) => auth0.clients.delete(id),
  }),
  'resource servers': async () => {
    // Those of the first run are not counted: the list has no filter that leaves them out.
    const own = new Set(await everything(auth0.resourceServers.list()).then((all) => all.map(({ id }) => id)));
    return {
      create: (index) =>
        auth0.resourceServers.create({ identifier: `https://api-${index}.test/`, name: `API ${index}` }),
      list: async () => without(await auth0.resourceServers.list(), ({ id }) => own.has(id)),
      idOf: (item) => text(item, 'id'),
      remove: (id) => auth0.resourceServers.delete(id),
    };
  },
  'searched resource servers': async () => ({
    create: (index) => auth0.resourceServers.create({ identifier: `urn:searched:${index}`, name: 'Searched' }),
    list: () => auth0.resourceServers.search({ q: 'identifier sw "urn:searched:"', parser: 'scim', sort: 'name' }),
    idOf: (item) => text(item, 'id'),
    remove: (id) => auth0.resourceServers.delete(id),
  }),
  'client grants': async () => {
    const { client_id: clientId = '' } = await auth0.clients.create({ name: 'Granted', app_type: 'non_interactive' });
    return {
      async create(index) {
        const audience = `https://granted-${index}.test/`;
        await auth0.resourceServers.create({ identifier: audience, scopes: [{ value: 'read:items' }] });
        return auth0.clientGrants.create({ client_id: clientId, audience, scope: ['read:items'] });
      },
      list: () => auth0.clientGrants.list({ client_id: clientId }),
      idOf: (item) => text(item, 'id'),
      remove: (id) => auth0.clientGrants.delete(id),
    };
  },
  connections: async () => {
    const own = new Set(await everything(auth0.connections.list()).then((all) => all.map(({ id }) => id)));
    return {
      create: (index) => auth0.connections.create({ name: `directory-${index}`, strategy: 'auth0' }),
      list: async () => without(await auth0.connections.list(), ({ id }) => own.has(id)),
      idOf: (item) => text(item, 'id'),
      remove: (id) => auth0.connections.delete(id),
    };
  },
  roles: async () => ({
    create: (index) => auth0.roles.create({ name: `Crew ${index}` }),
    list: () => auth0.roles.list({ name_filter: 'Crew' }),
    idOf: (item) => text(item, 'id'),
    remove: (id) => auth0.roles.delete(id),
  }),
  users: async () => {
    await auth0.connections.create({ name: 'lists', strategy: 'auth0' });
    return {
      create: (index) =>
        auth0.users.create({ connection: 'lists', email: `user-${index}@lists.test`, password: PASSWORD }),
      list: () => auth0.users.list({ q: 'identities.connection:"lists"' }),
      idOf: (item) => text(item, 'user_id'),
      remove: (id) => auth0.users.delete(id),
    };
  },
};

describe('the iterator of auth0 7', () => {
  it.each(Object.keys(collections))('walks over 0, 1, 51 and 101 %s, which are then deleted', async (name) => {
    const collection = await collections[name]?.();
    if (!collection) throw new Error(`No collection ${name}`);
    let made = 0;
    const found: number[] = [];
    let ids: string[] = [];
    for (const size of SIZES) {
      const indices = Array.from({ length: size - made }, (_, offset) => made + offset);
      await inParallel(indices, collection.create);
      made = size;
      ids = (await everything(collection.list())).map(collection.idOf);
      found.push(new Set(ids).size);
      expect(ids).toHaveLength(size);
    }
    expect(found).toEqual(SIZES);
    await inParallel(ids, collection.remove);
    expect(await everything(collection.list())).toEqual([]);
  });

  it('walks over 101 permissions and 51 users of a role, and over 101 permissions of a user', async () => {
    const names = Array.from({ length: 101 }, (_, index) => String(index));
    const audience = 'https://many.test/';
    await auth0.resourceServers.create({ identifier: audience, scopes: names.map((value) => ({ value })) });
    await auth0.connections.create({ name: 'members', strategy: 'auth0' });
    const { id: roleId = '' } = await auth0.roles.create({ name: 'Everybody' });
    const userIds: string[] = [];
    await inParallel(names.slice(0, 51), async (name) => {
      const email = `user-${name}@members.test`;
      const { user_id: id = '' } = await auth0.users.create({ connection: 'members', email, password: PASSWORD });
      userIds.push(id);
    });
    const permissions = names.map((name) => ({ permission_name: name, resource_server_identifier: audience }));
    await auth0.roles.permissions.add(roleId, { permissions });
    await inChunks(userIds, (users) => auth0.roles.users.assign(roleId, { users }));
    expect(await everything(auth0.roles.permissions.list(roleId))).toHaveLength(101);
    const members = await everything(auth0.roles.users.list(roleId));
    expect(new Set(members.map(({ user_id }) => user_id))).toEqual(new Set(userIds));

    const [userId = ''] = userIds;
    await auth0.users.permissions.create(userId, { permissions });
    expect(await everything(auth0.users.permissions.list(userId))).toHaveLength(101);
  });
});

async function everything<Item>(list: Promise<AsyncIterable<Item>>): Promise<Item[]> {
  return Array.fromAsync(await list);
}

async function* without<Item>(list: AsyncIterable<Item>, isLeftOut: (item: Item) => boolean): AsyncGenerator<Item> {
  for await (const item of list) if (!isLeftOut(item)) yield item;
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** One request carries 50 at most. */
async function inChunks(items: readonly string[], work: (chunk: string[]) => PromiseLike<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += 50) await work(items.slice(start, start + 50));
}

function text(item: object, name: string): string {
  return String(new Map(Object.entries(item)).get(name));
}
