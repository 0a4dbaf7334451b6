import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startWorld, type World, type WorldTenant } from '../../../test/world.ts';

let world: World;
let origin: string;
const asked: string[] = [];
const hanging: ServerResponse[] = [];
const application = createServer((request, response) => {
  asked.push(request.url ?? '');
  if (request.url === '/hangs') hanging.push(response);
  else response.end();
});

beforeAll(async () => {
  world = await startWorld();
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const address = application.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  application.closeAllConnections();
  application.close();
  await world.stop();
});

const count = (path: string) => asked.filter((one) => one === path).length;

it("a tenant whose addresses hang holds no other tenant's logouts up", async () => {
  const other = await world.createTenant('other');
  await leave(world.main, '/hangs', 40);
  const rounds = [world.app.logouts.deliver()];
  await vi.waitFor(() => expect(count('/hangs')).toBe(5), 60_000);
  for (let round = 0; round < 5; round++) {
    rounds.push(world.app.logouts.deliver());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await leave(other, '/answers', 1);
  rounds.push(world.app.logouts.deliver());
  await vi.waitFor(() => expect(count('/answers')).toBe(1), { timeout: 60_000 });
  expect(count('/hangs')).toBe(5);
  for (const response of hanging.splice(0)) response.end();
  await Promise.all(rounds);
});

/** What ended sessions of an application leave behind. */
async function leave({ tenant, issuer, spa_client }: WorldTenant, path: string, deliveries: number): Promise<void> {
  await world.database.pool.query(
    `insert into logout_deliveries (tenant_id, delivery_id, client_id, url, issuer, user_id, session_id, initiator, created_at, due_at)
     select $1, 'delivery-' || n, $2, $3, $4, 'auth0|somebody', 'session-' || n, 'rp-logout', $5, $5 from generate_series(1, $6::int) n`,
    [tenant, spa_client.client_id, `${origin}${path}`, issuer, world.now(), deliveries],
  );
}
