import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeviceWorld, isConfirmation, startDeviceWorld } from '../../../test/device-world.ts';
import { eventsOf } from '../../../test/protocol.ts';
import type { World } from '../../../test/world.ts';

type Ask = Readonly<Record<string, string>>;

let devices: DeviceWorld;
let world: World;
beforeAll(async () => {
  devices = await startDeviceWorld();
  world = devices.world;
});
afterAll(() => world.stop());

describe('POST /oauth/device/code', () => {
  it('answers codes, where to type them, and how long and how often to ask', async () => {
    const response = await devices.ask();
    expect(response.headers['cache-control']).toBe('no-store');
    const body = response.json();
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${world.origin}/activate`,
      verification_uri_complete: `${world.origin}/activate?user_code=${body.user_code}`,
      expires_in: 900,
      interval: 5,
    });
  });

  it('makes codes as the tenant’s device_flow shapes them, and refuses shapes that could be guessed', async () => {
    const patch = (device_flow: unknown) => world.api().patch('/tenants/settings', { device_flow });
    expect((await patch({ charset: 'digits', mask: '*** *** ***' })).statusCode).toBe(200);
    const numbers = await devices.begin();
    expect(numbers.user_code).toMatch(/^\d{3} \d{3} \d{3}$/);
    expect(isConfirmation(await devices.browser().type(numbers.user_code.replaceAll(' ', '')))).toBe(true);
    for (const device_flow of [
      { charset: 'digits', mask: '****-****' },
      { charset: 'base20', mask: '*******' },
      { charset: 'base20', mask: '****-***A*' },
      { charset: 'letters', mask: '****-****' },
    ])
      expect([device_flow, (await patch(device_flow)).statusCode]).toEqual([device_flow, 400]);
    expect((await patch(null)).statusCode).toBe(200);
    expect((await devices.begin()).user_code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
  });

  it.each<[string, () => Promise<Ask>, number, string]>([
    ['no client', async () => ({ client_id: '' }), 400, 'invalid_request'],
    ['an unknown client', async () => ({ client_id: 'nobody' }), 401, 'access_denied'],
    ['an unknown API', async () => ({ audience: 'https://nowhere.example' }), 403, 'access_denied'],
    [
      'a client without the grant',
      async () => ({ client_id: (await devices.device({ grant_types: ['authorization_code'] })).client_id }),
      403,
      'unauthorized_client',
    ],
    [
      'a client that is no native one',
      async () => ({ client_id: (await devices.device({ app_type: 'spa' })).client_id }),
      403,
      'unauthorized_client',
    ],
  ])('refuses %s, with one event', async (_what, changes, status, error) => {
    const given = await changes();
    const records = await eventsOf(world, async () => {
      const response = await devices.ask(given);
      expect([response.statusCode, response.json().error]).toEqual([status, error]);
    });
    expect(records.map(({ type }) => type)).toEqual(['fdeaz']);
  });

  it('is limited for each network: anybody may ask', async () => {
    const from = (ip: string) =>
      world.request({
        path: '/oauth/device/code',
        form: { client_id: devices.television.client_id },
        headers: { 'x-forwarded-for': ip },
      });
    const statuses: number[] = [];
    for (let asked = 0; asked < 310; asked += 10) {
      const batch = Array.from({ length: 10 }, (_, index) => from(`2001:db8:0:7::${asked + index}`));
      statuses.push(...(await Promise.all(batch)).map(({ statusCode }) => statusCode));
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(300);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    expect((await from('2001:db8:0:8::1')).statusCode).toBe(200);
    world.advance(61_000);
    expect((await from('2001:db8:0:7::1')).statusCode).toBe(200);
  });
});
