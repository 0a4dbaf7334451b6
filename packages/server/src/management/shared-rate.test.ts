import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';

const BURST = 300;
let world: World;
let second: Awaited<ReturnType<World['secondServer']>>;
beforeAll(async () => {
  world = await startWorld({ managementRateLimit: { burst: BURST, perSecond: 1 } });
  second = await world.secondServer();
});
afterAll(async () => {
  await second.stop();
  await world.stop();
});

describe('the limit of the Management API with two servers on one database', () => {
  it('is a tenant’s, not a server’s: both together answer what one may, the headers agree, one event tells', async () => {
    const acme = await world.createTenant('acme');
    const token = await world.managementToken([], acme);
    const asked = { path: '/api/v2/clients?per_page=1', headers: { authorization: `Bearer ${token}` }, tenant: acme };
    const ask = (count: number) =>
      Promise.all(servers.flatMap((request) => Array.from({ length: count }, () => request(asked))));
    const servers = [world.request, second.request];

    const first = await ask(BURST / 4);
    expect(first.map(({ statusCode }) => statusCode)).toEqual(Array(BURST / 2).fill(200));
    for (const request of servers) {
      const { headers } = await request(asked);
      expect(Number(headers['x-ratelimit-remaining'])).toBeGreaterThanOrEqual(BURST / 2 - 2 - BLOCKS_HELD);
      expect(Number(headers['x-ratelimit-remaining'])).toBeLessThanOrEqual(BURST / 2 - 1 + BLOCKS_HELD);
    }
    const rest = await ask(BURST / 2);
    expect(okOf(rest)).toBe(BURST / 2 - 2);
    const refusals = rest.filter(({ statusCode }) => statusCode === 429);
    expect(refusals).toHaveLength(BURST / 2 + 2);
    for (const { headers } of [await world.request(asked), await second.request(asked), ...refusals.slice(-1)])
      expect(headers).toMatchObject({
        'x-ratelimit-limit': String(BURST),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(world.now().getTime() / 1000 + 1)),
        'retry-after': expect.stringMatching(/^[12]$/),
      });
    expect((await eventsIn(acme.tenant)).filter((type) => type === 'api_limit')).toHaveLength(1);

    world.advance(10_000);
    expect(okOf(await ask(10))).toBe(10);
  });

  it('writes once in many requests, and the limit of one tenant is no other’s', async () => {
    const bea = await world.createTenant('bea');
    const token = await world.managementToken([], bea);
    const asked = { path: '/api/v2/clients?per_page=1', headers: { authorization: `Bearer ${token}` }, tenant: bea };
    const writes = async () =>
      (await world.database.pool.query("select xmin::text from rate_buckets where tenant_id = 'bea'")).rows[0]?.xmin;
    const seen = new Set<string>();
    for (let count = 0; count < 30; count++) {
      expect((await world.request(asked)).statusCode).toBe(200);
      seen.add(await writes());
    }
    expect(seen.size).toBe(30 / BLOCK);
  });
});

/** A hundredth of the burst is what a server takes at once. */
const BLOCK = BURST / 100;
const BLOCKS_HELD = 2 * BLOCK;

const okOf = (responses: readonly Response[]) => responses.filter(({ statusCode }) => statusCode === 200).length;

async function eventsIn(tenantId: string): Promise<string[]> {
  const { rows } = await world.database.pool.query('select type from log_events where tenant_id = $1', [tenantId]);
  return rows.map(({ type }) => type);
}
