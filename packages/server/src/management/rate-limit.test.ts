import { describe, expect, it } from 'vitest';
import { createMachinery, NOW, send, type ThingStores } from '../../test/management-machinery.ts';
import type { Management } from './call.ts';

function routes(management: Management<ThingStores>): void {
  management.route('GET /resource-servers/{id}', async (call) => ({ id: call.params.id }));
}

describe('rate headers', () => {
  it('are on every answer, errors too', async () => {
    const world = await createMachinery(routes);
    const headers = {
      'x-ratelimit-limit': 10_000,
      'x-ratelimit-reset': expect.anything(),
      'x-ratelimit-remaining': expect.anything(),
    };
    const limit = expect.objectContaining({ ...headers, 'x-ratelimit-limit': '10000' });
    expect(
      (await world.call('read:resource_servers', { method: 'GET', url: '/api/v2/resource-servers/a' })).headers,
    ).toEqual(limit);
    expect((await send(world.app, { method: 'GET', url: '/api/v2/resource-servers/a' })).headers).toEqual(limit);
    expect((await send(world.app, { method: 'GET', url: '/api/v2/nothing' })).headers).toEqual(limit);
    await world.app.close();
  });

  it('tell of an empty bucket, once a minute in the log, and of its refill', async () => {
    let time = NOW.getTime();
    const limited = await createMachinery(routes, {
      rateLimit: { burst: 2, perSecond: 0.5 },
      now: () => new Date(time),
    });
    const read = () => limited.call('read:resource_servers', { method: 'GET', url: '/api/v2/resource-servers/a' });
    const states = [await read(), await read(), await read(), await read()];
    expect(states.map((state) => [state.status, state.headers['x-ratelimit-remaining']])).toEqual([
      [200, '1'],
      [200, '0'],
      [429, '0'],
      [429, '0'],
    ]);
    expect(states[2]?.body).toEqual({
      statusCode: 429,
      error: 'Too Many Requests',
      message: 'Global limit has been reached',
      errorCode: 'too_many_requests',
    });
    expect(states[2]?.headers).toMatchObject({
      'retry-after': '2',
      'x-ratelimit-reset': String(NOW.getTime() / 1000 + 2),
    });
    expect(limited.events.map((event) => event.type)).toEqual(['rateLimited']);
    time += 2_000;
    expect((await read()).status).toBe(200);
    time += 60_000;
    for (let i = 0; i < 4; i++) await read();
    expect(limited.events).toHaveLength(2);
    await limited.app.close();
  });

  it('strangers without a token can not use a tenant up', async () => {
    const limited = await createMachinery(routes, { rateLimit: { burst: 1, perSecond: 0.001 } });
    for (let i = 0; i < 5; i++) await send(limited.app, { method: 'GET', url: '/api/v2/resource-servers/a' });
    expect(
      (await limited.call('read:resource_servers', { method: 'GET', url: '/api/v2/resource-servers/a' })).status,
    ).toBe(200);
    await limited.app.close();
  });
});
