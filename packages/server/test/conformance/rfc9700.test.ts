import type { IncomingMessage } from 'node:http';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRequestReader } from '../../src/http/requester.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { claimsOf, createApplication, redeem, tokensOf, userinfo } from './code-flow.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** Every answer of a login, from /authorize to the redirect URI. */
async function walkOfLogin(): Promise<{ responses: Response[]; page: Response }> {
  const visitor = world.visitor();
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: world.spa_client.client_id,
    redirect_uri: CALLBACK,
    scope: 'openid offline_access',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const responses = [await visitor.get(`/authorize?${query}`)];
  const page = await visitor.get(String(responses[0]?.headers.location));
  responses.push(page);
  responses.push(await visitor.submit(page, { username: world.user.email, password: world.user.password }));
  for (let at = responses.at(-1); String(at?.headers.location).startsWith('/'); at = responses.at(-1))
    responses.push(await visitor.get(String(at?.headers.location)));
  return { responses, page };
}

describe('the way of a login (RFC 9700 sections 4.2, 4.3, 4.12 and 4.16)', () => {
  it('never redirects with 307 or 308, and answers posted credentials with 303', async () => {
    const { responses } = await walkOfLogin();
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([302, 200, 303, 302]);
    expect(responses.at(-1)?.headers.location).toMatch(/^http:\/\/localhost:5555\/callback\?code=/);
  });

  it('puts no token, password or cookie value into a URL', async () => {
    const { responses } = await walkOfLogin();
    for (const { headers } of responses) {
      const location = decodeURIComponent(String(headers.location ?? ''));
      expect(location).not.toMatch(/access_token|id_token|refresh_token|password/);
      expect(location).not.toContain(world.user.email);
    }
    const visitor = world.visitor();
    const { response } = await visitor.logIn();
    for (const value of visitor.cookies.values()) expect(String(response.headers.location)).not.toContain(value);
  });

  it('tells no other site where it comes from', async () => {
    const { responses, page } = await walkOfLogin();
    expect(page.headers['referrer-policy']).toBe('same-origin');
    expect(responses.at(-1)?.headers['referrer-policy']).toBe('no-referrer');
    for (const { headers } of responses) expect(headers['cache-control']).toMatch(/no-store/);
  });

  it('shows pages that nobody can frame', async () => {
    const { page } = await walkOfLogin();
    expect(page.headers['x-frame-options']).toBe('DENY');
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('takes a password only with the token of the page, and from our own origin', async () => {
    const visitor = world.visitor();
    const { response: page } = await visitor.authorize();
    const fields = { username: world.user.email, password: world.user.password };
    const state = /name="state" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const forged = await visitor.post('/u/login', { state, ...fields }, { origin: world.origin });
    expect(forged.statusCode).toBe(403);
    const csrf = /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? expect.unreachable('The page has no token.');
    const foreign = await visitor.post(
      '/u/login',
      { state, _csrf: csrf, ...fields },
      { origin: 'https://evil.example' },
    );
    expect(foreign.statusCode).toBe(403);
    expect((await visitor.submit(page, fields)).statusCode).toBe(303);
  });

  it('has no CORS at the authorization endpoint', async () => {
    const headers = { origin: 'http://localhost:5555', 'access-control-request-method': 'GET' };
    const answers = await Promise.all([
      world.request({ method: 'OPTIONS', path: '/authorize', headers }),
      world.request({ path: `/authorize?client_id=${world.spa_client.client_id}`, headers }),
    ]);
    for (const answer of answers) expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('an open redirector (RFC 9700 section 4.11)', () => {
  it('is not to be found at /v2/logout', async () => {
    const { client_id } = world.spa_client;
    for (const returnTo of ['https://evil.example/', '//evil.example', 'http://localhost:5555@evil.example/', '/x']) {
      const query = new URLSearchParams({ client_id, returnTo });
      const withClient = await world.request({ path: `/v2/logout?${query}` });
      query.delete('client_id');
      const alone = await world.request({ path: `/v2/logout?${query}` });
      for (const { statusCode, headers } of [withClient, alone])
        expect([returnTo, statusCode, headers.location]).toEqual([returnTo, 400, undefined]);
    }
  });
});

describe('refresh tokens of public clients (RFC 9700 section 4.14.2)', () => {
  const refresh = (refresh_token: string) =>
    world.token({ grant_type: 'refresh_token', client_id: world.spa_client.client_id, refresh_token });

  it('are replaced at each use, and a replaced one that comes back ends the family', async () => {
    const first = await tokensOf(world);
    const second = (await refresh(first.refresh_token)).json();
    expect(second.refresh_token).not.toBe(first.refresh_token);
    world.advance(31_000);
    const reused = await refresh(first.refresh_token);
    expect([reused.statusCode, reused.json().error]).toEqual([403, 'invalid_grant']);
    expect((await refresh(second.refresh_token)).json().error).toBe('invalid_grant');
    expect((await userinfo(world, second.access_token)).statusCode).toBe(401);
  });

  it('end when they were not used for long, and at their absolute end however often they were', async () => {
    const idle = await tokensOf(world);
    const DAY = 86_400_000;
    let used = await tokensOf(world);
    for (const days of [14, 14]) {
      world.advance(days * DAY);
      used = (await refresh(used.refresh_token)).json();
    }
    expect((await refresh(idle.refresh_token)).json().error).toBe('invalid_grant');
    world.advance(3 * DAY);
    expect((await refresh(used.refresh_token)).json().error).toBe('invalid_grant');
  });

  it('rotate and expire for every new single-page application', async () => {
    const { client_id } = await createApplication(world, { app_type: 'spa' });
    const { refresh_token } = (await world.api().get(`/clients/${client_id}`)).json();
    expect(refresh_token).toMatchObject({ rotation_type: 'rotating', expiration_type: 'expiring' });
  });
});

describe('tokens and who they are about (RFC 9700 sections 2.3 and 4.15)', () => {
  it('name one audience and no more scopes than were asked for', async () => {
    const { access_token } = await tokensOf(world, { audience: 'https://api.example.com/', scope: 'read:items' });
    expect(claimsOf(access_token)).toMatchObject({ aud: 'https://api.example.com/', scope: 'read:items' });
  });

  it('never let a client pass for a user: their subjects differ in form', async () => {
    const machine = claimsOf(await world.managementToken(['read:users']));
    const user = claimsOf((await tokensOf(world)).id_token);
    expect(machine.sub).toBe(`${world.management.client_id}@clients`);
    expect(user.sub).toMatch(/^auth0\|[0-9a-f]{24}$/);
  });
});

describe('behind a reverse proxy (RFC 9700 section 4.13)', () => {
  const asked = (remoteAddress: string): IncomingMessage =>
    Object.assign(Object.create(null), {
      socket: { remoteAddress },
      headers: {
        host: 'login.example.com',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '1.2.3.4',
      },
    });
  const reader = createRequestReader(['10.0.0.0/8']);

  it('believes forwarded headers from a trusted proxy and from nobody else', () => {
    expect(reader.origin(asked('10.1.2.3'))).toBe('https://evil.example');
    expect(reader.origin(asked('192.0.2.1'))).toBe('http://login.example.com');
    expect(reader.requester(asked('10.1.2.3')).ip).toBe('1.2.3.4');
    expect(reader.requester(asked('192.0.2.1')).ip).toBe('192.0.2.1');
  });
});

describe('a code that was stolen (RFC 9700 section 4.5)', () => {
  it('is worth nothing without the verifier of the browser that asked', async () => {
    const victim = await world.visitor().logIn();
    const attacker = await world.visitor().authorize();
    const response = await redeem(world, { code: victim.code, verifier: attacker.verifier });
    expect(response.json()).toEqual({ error: 'invalid_grant', error_description: 'Failed to verify code verifier' });
  });
});
