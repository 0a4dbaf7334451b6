import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { type Application, createApplication, redeem } from './code-flow.ts';

let world: World;
let native: Application;
beforeAll(async () => {
  world = await startWorld({ environment: 'production' });
  native = await createApplication(world, {
    app_type: 'native',
    callbacks: [
      'http://127.0.0.1/cb',
      'http://[::1]:4000/cb',
      'com.example.app:/oauth2redirect',
      'https://app.example.com/open',
    ],
  });
});
afterAll(() => world.stop());

async function redirectOf(redirect_uri: string, client_id = native.client_id): Promise<string | undefined> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri,
    prompt: 'none',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const { location } = (await world.request({ path: `/authorize?${query}` })).headers;
  return typeof location === 'string' ? location.slice(0, location.indexOf('?')) : undefined;
}

describe('a native application (RFC 8252)', () => {
  it.each([
    'http://127.0.0.1/cb',
    'http://127.0.0.1:50123/cb',
    'http://[::1]:4000/cb',
    'http://[::1]:61000/cb',
    'http://[::1]/cb',
  ])('may listen on any port of a loopback address that it registered: %s', async (uri) => {
    expect(await redirectOf(uri)).toBe(uri);
  });

  it.each([
    'http://127.0.0.1:50123/other',
    'http://127.0.0.2:50123/cb',
    'http://localhost:50123/cb',
    'https://127.0.0.1/cb',
    'http://127.0.0.1:x/cb',
    'http://127.0.0.1:70000/cb',
    'http://127.0.0.1:1@evil.example/cb',
  ])('gets no answer at an address that differs in more than the port: %s', async (uri) => {
    expect(await redirectOf(uri)).toBeUndefined();
  });

  it('may use a scheme of its own and a claimed https address, both to the letter', async () => {
    for (const uri of ['com.example.app:/oauth2redirect', 'https://app.example.com/open']) {
      expect(await redirectOf(uri)).toBe(uri);
      for (const other of [`${uri}/x`, `${uri}?x=1`, uri.toUpperCase(), uri.slice(0, -1)])
        expect([other, await redirectOf(other)]).toEqual([other, undefined]);
    }
  });

  it('is a public client by its registration', async () => {
    const { token_endpoint_auth_method, app_type } = (await world.api().get(`/clients/${native.client_id}`)).json();
    expect([app_type, token_endpoint_auth_method]).toEqual(['native', 'none']);
  });

  it('can not prove anything by a secret', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: 'v1.x', ...native, client_secret: 'shipped-in-the-app' };
    expect((await world.token(form)).statusCode).toBe(401);
  });

  it('must use PKCE', async () => {
    const visitor = world.visitor();
    const redirect_uri = 'http://127.0.0.1:50123/cb';
    const own = { client_id: native.client_id, redirect_uri };
    const without = await visitor.authorize({ ...own, code_challenge: '', code_challenge_method: '' });
    expect(without.answer?.get('error')).toBe('invalid_request');
    const begun = await visitor.logIn({ parameters: own });
    expect((await redeem(world, { code: begun.code, verifier: '' }, own)).statusCode).toBe(403);
    expect((await redeem(world, begun, own)).statusCode).toBe(200);
  });

  it('shares the port of its loopback address with no other kind of application', async () => {
    const web = await createApplication(world, { app_type: 'spa', callbacks: ['http://127.0.0.1/cb'] });
    expect(await redirectOf('http://127.0.0.1/cb', web.client_id)).toBe('http://127.0.0.1/cb');
    expect(await redirectOf('http://127.0.0.1:50123/cb', web.client_id)).toBeUndefined();
  });
});
