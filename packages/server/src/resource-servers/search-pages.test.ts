import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

type Item = Readonly<Record<string, unknown>>;
type Query = Readonly<Record<string, string>>;

describe('51 APIs and more', () => {
  let world: World;
  let pages: ManagementClient;
  let wanted: Item[];
  beforeAll(async () => {
    world = await startWorld();
    pages = world.apiAt(await world.createTenant('pages'));
    const create = (name: string, identifier: string) => created(pages.post('/resource-servers', { name, identifier }));
    for (let index = 0; index < 51; index++) await create(`Same ${index % 3}`, `urn:${(index * 37) % 51}`);
    const longest = '𝄞'.repeat(600);
    await create('Same 0', longest);
    await create('Same 0 \ufffd', 'urn:unreadable');
    wanted = (await pages.get('/resource-servers?per_page=100')).json();
  });
  afterAll(() => world.stop());

  const page = async (query: Query) =>
    (await pages.get(`/resource-servers/search?${new URLSearchParams(query)}`)).json();

  it('come by fifty, and the last page has no `next`', async () => {
    const first = await page({ q: 'identifier:urn*' });
    expect(first.resource_servers).toHaveLength(50);
    const last = await page({ q: 'identifier:urn*', from: first.next });
    expect(last.resource_servers).toHaveLength(2);
    expect(last).not.toHaveProperty('next');
    const exact = await page({ q: 'identifier:urn* AND NOT name:"Same 0 \ufffd"', take: '51' });
    expect([exact.resource_servers.length, exact.next]).toEqual([51, undefined]);
  });

  it.each(['', 'name', 'identifier', 'updated_at'])('sorted by "%s" are walked once each', async (sort) => {
    // Equal in every order: only the order in which they were made tells them apart.
    await world.database.pool.query(`update resource_servers set updated_at = now() where tenant_id = 'pages'`);
    for (const take of ['1', '7', '100']) {
      const walked: Item[] = [];
      let from: string | undefined;
      do {
        const { resource_servers, next } = await page({ ...(sort && { sort }), take, ...(from && { from }) });
        walked.push(...resource_servers);
        from = next;
      } while (from !== undefined && walked.length <= wanted.length);
      const order = [...wanted];
      if (sort === 'name' || sort === 'identifier') order.sort((a, b) => compare(String(a[sort]), String(b[sort])));
      expect(walked.map(({ id }) => id)).toEqual(order.map(({ id }) => id));
    }
  });

  it('lose and repeat none when one that was shown goes meanwhile', async () => {
    const first = await page({ sort: 'name', take: '10' });
    await pages.delete(`/resource-servers/${first.resource_servers.at(-1).id}`);
    const rest = await page({ sort: 'name', take: '100', from: first.next });
    expect(first.resource_servers.length + rest.resource_servers.length).toBe(wanted.length);
  });
});

/** By bytes, as the server sorts: UTF-16 would put a character beyond U+FFFF before U+FFFD. */
function compare(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
