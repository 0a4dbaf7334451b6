import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ALL,
  isOurs,
  type ListeningApplication,
  startListeningApplication,
} from '../../../test/listening-application.ts';
import { decodeJwt, eventsOf } from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import type { World } from '../../../test/world.ts';

let application: ListeningApplication;
let world: World;
beforeAll(async () => {
  application = await startListeningApplication();
  world = application.world;
});
afterAll(() => application.stop());
beforeEach(() => application.reset());

describe('the delivery of a logout token', () => {
  it('tries again, later each time, with a fresh token, and says when it gives up', async () => {
    const client = await application.listening(ALL);
    const { sid } = await application.logIn(client);
    application.answers(503);
    const events = await eventsOf(world, async () => {
      await world.api().delete(`/sessions/${sid}`);
      for (const seconds of [0, 10, 60, 300, 1_200, 3_600, 36_000]) {
        world.advance(seconds * 1000);
        await application.deliver();
        await application.deliver();
      }
    });
    expect(application.received.length).toBe(6);
    expect(new Set(application.received.map(({ token }) => decodeJwt(token).claims.jti)).size).toBe(6);
    expect(new Set(application.received.map(({ token }) => decodeJwt(token).claims.trace_id)).size).toBe(1);
    const failures = events.filter(isOurs);
    expect(failures.map(({ details }) => details)).toEqual(
      [1, 2, 3, 4, 5, 6].map((attempt) => expect.objectContaining({ attempt, will_retry: attempt < 6 })),
    );
    expect(failures[0]).toMatchObject({
      type: 'oidc_backchannel_logout_failed',
      description: 'The application answered with the status 503.',
    });
    expect((await world.database.pool.query('select from logout_deliveries')).rows).toEqual([]);
  });

  it('survives a process that dies between taking and sending', async () => {
    const client = await application.listening(ALL);
    const { sid } = await application.logIn(client);
    await world.api().delete(`/sessions/${sid}`);
    const now = world.now();
    const taken = await world.app.stores.logoutDeliveries.claim('dev', now, new Date(now.getTime() + 60_000), 10);
    expect(taken.length).toBe(1);
    await application.deliver();
    expect(application.received).toEqual([]);
    world.advance(60_000);
    await application.deliver();
    expect(application.received.length).toBe(1);
  });

  it('is sent once by two servers that look at the same time', async () => {
    const client = await application.listening(ALL);
    const logins = [await application.logIn(client), await application.logIn(client), await application.logIn(client)];
    for (const { sid } of logins) await world.api().delete(`/sessions/${sid}`);
    await Promise.all([application.deliver(), application.deliver(), application.deliver()]);
    expect(application.received.map(({ token }) => decodeJwt(token).claims.sid).toSorted()).toEqual(
      logins.map(({ sid }) => sid).toSorted(),
    );
  });

  it("of a production tenant reaches nobody on the server's own machine", async () => {
    const production = await world.createTenant('strict', { environment: 'production' });
    await world.database.pool.query(
      `update clients set body = body || $1::jsonb where tenant_id = 'strict' and client_id = $2`,
      [
        JSON.stringify({ oidc_logout: { backchannel_logout_urls: [application.url] } }),
        production.spa_client.client_id,
      ],
    );
    const visitor = world.visitor(production);
    await world.database.pool.query(
      `update clients set body = jsonb_set(body, '{callbacks}', '["${CALLBACK}"]') where client_id = $1`,
      [production.spa_client.client_id],
    );
    world.app.forget('strict');
    await visitor.logIn();
    const events = await eventsOf(
      world,
      async () => {
        await visitor.get('/v2/logout');
        await application.deliver();
      },
      production,
    );
    expect(application.received).toEqual([]);
    expect(events.find(isOurs)).toMatchObject({
      type: 'oidc_backchannel_logout_failed',
      description: 'The address leads to a network that may not be called.',
    });
  });
});
