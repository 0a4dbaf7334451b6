import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeviceWorld, isConfirmation, type Page, startDeviceWorld } from '../../../test/device-world.ts';
import {
  created,
  createTestClient,
  createTestUser,
  enableDirectory,
  eventsOf,
  eventTypesOf,
} from '../../../test/protocol.ts';
import type { World } from '../../../test/world.ts';
import { DEVICE_GRANT } from './device-code.ts';

let devices: DeviceWorld;
let world: World;
beforeAll(async () => {
  devices = await startDeviceWorld();
  world = devices.world;
});
afterAll(() => world.stop());

const refused = (status: number, error: string, error_description = expect.any(String)) => ({
  status,
  body: { error, error_description },
});
const isLogin = ({ body }: Page) => body.includes('action="/u/login?state=');

describe('a device', () => {
  it('waits until its user has typed the code, confirmed it and logged in; then it gets tokens, once', async () => {
    const { device_code, user_code } = await devices.begin();
    expect(await devices.poll(device_code)).toMatchObject(
      refused(403, 'authorization_pending', 'User has yet to authorize device code.'),
    );
    const { visitor, type } = devices.browser();
    const confirmation = await type(user_code.toLowerCase().replace('-', ' '));
    expect(isConfirmation(confirmation)).toBe(true);
    for (const text of ['Living room', user_code]) expect(confirmation.body).toContain(text);
    const login = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
    expect(isLogin(login)).toBe(true);
    const done = await visitor.follow(await visitor.submit(login, devices.user()));
    expect(done.body).toContain('Your device is connected');
    const records = await eventsOf(world, async () => {
      const { status, headers, body } = await devices.poll(device_code);
      expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
      expect(body).toMatchObject({ token_type: 'Bearer', scope: 'openid offline_access' });
      const renewed = {
        grant_type: 'refresh_token',
        refresh_token: body.refresh_token,
        client_id: devices.television.client_id,
      };
      expect((await world.token(renewed)).statusCode).toBe(200);
    });
    expect(records.map(({ type: code }) => code)).toEqual(['sede', 'sertft']);
    expect(
      await eventTypesOf(world, async () => {
        expect(await devices.poll(device_code)).toMatchObject(refused(403, 'invalid_grant'));
      }),
    ).toEqual(['fede']);
  });

  it('is told of with its refresh token: where it asked from', async () => {
    const { device_code, user_code } = await devices.begin();
    await devices.letIn(user_code);
    expect((await devices.poll(device_code)).status).toBe(200);
    const [{ user_id: userId }] = (await world.api().get(`/users-by-email?email=${world.user.email}`)).json();
    const { tokens } = (await world.api().get(`/users/${encodeURIComponent(userId)}/refresh-tokens?take=100`)).json();
    const ofTelevision = tokens.filter(
      (token: { client_id: string }) => token.client_id === devices.television.client_id,
    );
    expect(ofTelevision).not.toHaveLength(0);
    for (const { device: place } of ofTelevision) expect(place).toHaveProperty('initial_ip', '127.0.0.1');
  });

  it('gets its tokens once, though it asks ten times at once', async () => {
    const { device_code, user_code } = await devices.begin();
    await devices.letIn(user_code);
    const answers = await Promise.all(Array.from({ length: 10 }, () => devices.poll(device_code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(9);
  });

  it('is let in by a living session after its user has confirmed the code, as one login', async () => {
    const { device_code, user_code } = await devices.begin();
    const { visitor, open } = devices.browser();
    await visitor.logIn();
    const confirmation = await open(user_code);
    expect(confirmation.body).toContain(`You are logged in as ${world.user.email}.`);
    expect(await devices.poll(device_code)).toMatchObject({ status: 403 });
    const types = await eventTypesOf(world, async () => {
      const done = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
      expect(done.body).toContain('Your device is connected');
    });
    expect(types).toEqual(['s']);
    expect((await devices.poll(device_code)).status).toBe(200);
  });

  it('is turned away where its user cancels', async () => {
    const { device_code, user_code } = await devices.begin();
    const { visitor, open } = devices.browser();
    const confirmation = await open(user_code);
    const records = await eventsOf(world, async () => {
      const done = await visitor.follow(await visitor.submit(confirmation, { action: 'cancel' }));
      expect(done.body).toContain('Your device was not connected');
    });
    expect(records).toMatchObject([{ type: 'fdecc', client_name: 'Living room' }]);
    expect(await devices.poll(device_code)).toMatchObject(
      refused(403, 'access_denied', 'User cancelled the confirmation prompt.'),
    );
    expect((await visitor.submit(confirmation, { action: 'confirm' })).statusCode).toBe(400);
  });

  it('learns why it was turned away where its user did not do it', async () => {
    const unopened = await createTestClient(
      world,
      { name: 'Nobody', app_type: 'native', grant_types: [DEVICE_GRANT] },
      { mayLogIn: false },
    );
    const form = { client_id: unopened.client_id };
    const { device_code, user_code } = await devices.begin(form);
    const { visitor, open } = devices.browser();
    const done = await visitor.follow(await visitor.submit(await open(user_code), { action: 'confirm' }));
    expect(done.body).toContain('Your device was not connected');
    expect(await devices.poll(device_code, form)).toMatchObject(
      refused(403, 'access_denied', 'no connections enabled for the client'),
    );
  });

  it('that was let in and has not asked yet is not let in where its user is logged out', async () => {
    const { id, email, password } = await createTestUser(world, 'viewer');
    const { device_code, user_code } = await devices.begin();
    const { page } = await devices.letIn(user_code, { username: email, password });
    expect(page.body).toContain('Your device is connected');
    await world.api().delete(`/users/${encodeURIComponent(id)}/sessions`);
    expect(await devices.poll(device_code)).toMatchObject(refused(403, 'invalid_grant'));
  });

  it('that asks too often is told to slow down, each time by five seconds more', async () => {
    const { device_code } = await devices.begin();
    const next = async (seconds: number) => {
      world.advance(seconds * 1000);
      const { status, body, headers } = await devices.poll(device_code);
      return [status, body.error, headers['retry-after']];
    };
    const types = await eventTypesOf(world, async () => {
      expect(await next(0)).toEqual([403, 'authorization_pending', undefined]);
      expect(await next(4)).toEqual([429, 'slow_down', '10']);
      expect(await next(2)).toEqual([429, 'slow_down', '15']);
      expect(await next(8)).toEqual([429, 'slow_down', '20']);
      expect(await next(6)).toEqual([403, 'authorization_pending', undefined]);
      expect(await next(19)).toEqual([429, 'slow_down', '25']);
    });
    expect(types).toEqual([]);
    const together = await devices.begin();
    const answers = await Promise.all(Array.from({ length: 5 }, () => devices.poll(together.device_code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([403, 429, 429, 429, 429]);
    expect(answers.filter(({ status }) => status === 429)[0]?.body.error_description).toMatch(
      /^You are polling faster than the specified interval of \d+ seconds\.$/,
    );
  });

  it('is told once that its time is over', async () => {
    const { device_code, user_code } = await devices.begin();
    world.advance(900_000);
    expect(await devices.poll(device_code)).toMatchObject(refused(403, 'expired_token'));
    for (let again = 0; again < 2; again++)
      expect(await devices.poll(device_code)).toMatchObject(refused(403, 'invalid_grant'));
    expect(isConfirmation(await devices.browser().open(user_code))).toBe(false);
  });

  it('of another client gets nothing for a code that it has found', async () => {
    const { device_code, user_code } = await devices.begin();
    await devices.letIn(user_code);
    const { client_id } = await devices.device();
    expect(await devices.poll(device_code, { client_id })).toMatchObject(refused(403, 'invalid_grant'));
    expect((await devices.poll(device_code)).status).toBe(200);
  });

  it('gets nothing of a user who was blocked or whose access was revoked meanwhile', async () => {
    const { device_code, user_code } = await devices.begin();
    const email = 'blocked@example.org';
    const password = 'Correct-horse-7-battery';
    const { user_id } = await created(
      world.api().post('/users', { connection: world.connection, email, password, email_verified: true }),
    );
    await devices.letIn(user_code, { username: email, password });
    await world.api().patch(`/users/${encodeURIComponent(String(user_id))}`, { blocked: true });
    expect((await devices.poll(device_code)).status).toBe(403);
  });

  it('of a stranger’s application asks for consent, and is turned away where it is declined', async () => {
    const strange = await devices.device({ is_first_party: false });
    const { client_id } = strange;
    for (const action of ['accept', 'decline']) {
      const { device_code, user_code } = await devices.begin({
        client_id,
        scope: action === 'accept' ? 'openid' : 'openid email',
      });
      const { visitor, page } = await devices.letIn(user_code);
      expect(page.body).toContain('action="/u/consent?state=');
      const done = await visitor.follow(await visitor.submit(page, { action }));
      expect(done.body).toContain(action === 'accept' ? 'is connected' : 'was not connected');
      expect(await devices.poll(device_code, { client_id })).toMatchObject(
        action === 'accept' ? { status: 200, body: { scope: 'openid' } } : refused(403, 'access_denied'),
      );
    }
  });

  it('is turned away where its application lost its connection or its right to the API', async () => {
    const { client_id } = await devices.device();
    const one = await devices.begin({ client_id });
    const { visitor, open } = devices.browser();
    const login = await visitor.follow(await visitor.submit(await open(one.user_code), { action: 'confirm' }));
    await enableDirectory(world, client_id, false);
    const done = await visitor.follow(await visitor.submit(login, devices.user()));
    expect(done.body).toContain('Your device was not connected');
    expect(await devices.poll(one.device_code, { client_id })).toMatchObject(refused(403, 'access_denied'));
    await created(
      world.api().post('/resource-servers', {
        identifier: 'https://closed.example',
        name: 'Closed',
        subject_type_authorization: { user: { policy: 'require_client_grant' } },
      }),
    );
    const strange = await devices.device({ is_first_party: false });
    const two = await devices.begin({ client_id: strange.client_id, audience: 'https://closed.example' });
    expect((await devices.letIn(two.user_code)).page.body).toContain('Your device was not connected');
  });
});
