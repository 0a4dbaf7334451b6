import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const metadata = async () => (await world.request({ path: '/.well-known/openid-configuration' })).json();

describe('the issuer of an answer (RFC 9207)', () => {
  it('comes with a code, and is the issuer of discovery and of tokens to the letter', async () => {
    const { answer } = await world.visitor().logIn();
    expect(answer?.get('iss')).toBe((await metadata()).issuer);
    expect(answer?.getAll('iss')).toEqual([world.issuer]);
  });

  it('comes with an error', async () => {
    for (const parameters of [{ prompt: 'none' }, { response_type: 'token' }, { scope: 'x', max_age: 'soon' }]) {
      const { answer } = await world.visitor().authorize(parameters);
      expect([answer?.has('error'), answer?.get('iss')]).toEqual([true, world.issuer]);
    }
  });

  it('comes in a form_post as well', async () => {
    const { response } = await world.visitor().authorize({ prompt: 'none', response_mode: 'form_post' });
    expect(response.body).toContain(`<input type="hidden" name="iss" value="${world.issuer}"`);
  });

  it('is that of the origin that was asked', async () => {
    const plain = { ...world.main, origin: 'http://localhost:3000', issuer: 'http://localhost:3000/' };
    const { answer } = await world.visitor(plain).authorize({ prompt: 'none' });
    expect(answer?.get('iss')).toBe('http://localhost:3000/');
  });

  it('is a URL without query and fragment', () => {
    const { protocol, search, hash } = new URL(world.issuer);
    expect([protocol, search, hash]).toEqual(['https:', '', '']);
  });

  it('is announced where it is sent, and neither sent nor announced where a tenant turns it off', async () => {
    expect((await metadata()).authorization_response_iss_parameter_supported).toBe(true);
    const setting = { authorization_response_iss_parameter_supported: false };
    expect((await world.api().patch('/tenants/settings', setting)).statusCode).toBe(200);
    const { answer } = await world.visitor().authorize({ prompt: 'none' });
    expect([answer?.get('error'), answer?.has('iss')]).toEqual(['login_required', false]);
    expect((await metadata()).authorization_response_iss_parameter_supported).toBe(false);
    await world.api().patch('/tenants/settings', { authorization_response_iss_parameter_supported: true });
  });
});
