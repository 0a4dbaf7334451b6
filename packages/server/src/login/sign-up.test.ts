import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventTypesOf } from '../../test/protocol.ts';
import { CALLBACK } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe('sign-up', () => {
  const begin = async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ screen_hint: 'signup' });
    return { visitor, page: response };
  };
  const directory = async () =>
    (await world.api().get(`/connections?name=${world.connection}`)).json()[0] as { id: string; options: object };

  it('makes a user and logs in', async () => {
    const { visitor, page } = await begin();
    const types = await eventTypesOf(world, async () => {
      const answer = await visitor.follow(
        await visitor.submit(page, { email: 'new@example.org', password: 'Correct-horse-5' }),
      );
      expect(String(answer.headers.location)).toContain(`${CALLBACK}?code=`);
    });
    expect(types).toEqual(['ss', 'svr', 's']);
  });

  it('with a taken address or a poor password says so without a word about the account', async () => {
    for (const [fields, text] of [
      [{ email: world.user.email.toUpperCase(), password: 'Correct-horse-5' }, 'role="alert"'],
      [{ email: 'poor@example.org', password: 'abc' }, 'aria-invalid="true"'],
      [{ email: 'no address', password: 'Correct-horse-5' }, 'aria-invalid="true"'],
    ] as const) {
      const { visitor, page } = await begin();
      const types = await eventTypesOf(world, async () => {
        const answer = await visitor.submit(page, fields);
        expect(answer.statusCode).toBe(400);
        expect(answer.body).toContain(text);
        expect(answer.body).not.toMatch(/exist|taken|already registered/i);
      });
      expect(types).toEqual(['fs']);
    }
  });

  it('that is closed is closed to a posted form as well', async () => {
    const { visitor, page } = await begin();
    const { id, options } = await directory();
    await world.api().patch(`/connections/${id}`, { options: { ...options, disable_signup: true } });
    const types = await eventTypesOf(world, async () => {
      const answer = await visitor.submit(page, { email: 'late@example.org', password: 'Correct-horse-5' });
      expect(answer.statusCode).toBe(400);
    });
    expect(types).toEqual(['fs']);
    expect((await world.api().get('/users-by-email?email=late@example.org')).json()).toEqual([]);
    const { response } = await visitor.authorize({ screen_hint: 'signup' });
    expect(response.body).toContain('action="/u/login');
    expect(response.body).not.toContain('/u/signup');
    await world.api().patch(`/connections/${id}`, { options: { ...options, disable_signup: false } });
  });

  it('takes nothing but address, name and password from the form', async () => {
    const { visitor, page } = await begin();
    await visitor.submit(page, {
      email: 'mass@example.org',
      password: 'Correct-horse-5',
      email_verified: 'true',
      user_id: 'auth0|admin',
      app_metadata: '{"admin":true}',
      blocked: 'false',
      connection: 'gatewright-admins',
    });
    const [user] = (await world.api().get('/users-by-email?email=mass@example.org')).json();
    expect(user).toMatchObject({ email_verified: false, identities: [{ connection: world.connection }] });
    expect(user.user_id).not.toBe('auth0|admin');
    expect(user.app_metadata ?? {}).toEqual({});
  });
});
