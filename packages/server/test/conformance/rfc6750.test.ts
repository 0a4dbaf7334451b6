import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { claimsOf, passwordTokens, type Tokens, tokensOf, userinfo } from './code-flow.ts';

let world: World;
let tokens: Tokens;
beforeAll(async () => {
  world = await startWorld();
  tokens = await tokensOf(world);
});
afterAll(() => world.stop());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('how a bearer token is sent (RFC 6750 section 2)', () => {
  it('is in the Authorization header, whatever the case of the scheme', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${tokens.access_token}` };
      expect((await world.request({ path: '/userinfo', headers })).statusCode).toBe(200);
    }
  });

  it('may be in the form of a POST, but in no other body and no GET', async () => {
    const { access_token } = tokens;
    expect((await world.request({ path: '/userinfo', form: { access_token } })).statusCode).toBe(200);
    expect((await world.request({ path: '/userinfo', json: { access_token } })).statusCode).toBe(401);
    const get = await world.request({
      method: 'GET',
      path: '/userinfo',
      headers: FORM,
      body: `access_token=${access_token}`,
    });
    expect(get.statusCode).toBe(401);
  });

  it('counts in a URL at /userinfo alone, whose answer no cache keeps', async () => {
    const response = await world.request({ path: `/userinfo?access_token=${tokens.access_token}` });
    expect([response.statusCode, response.headers['cache-control']]).toEqual([200, 'no-store']);
    const bearer = await world.managementToken(['read:clients']);
    expect((await world.request({ path: `/api/v2/clients?access_token=${bearer}` })).statusCode).toBe(401);
  });

  it('is refused when it comes in two ways, or twice', async () => {
    const { access_token } = tokens;
    const headers = { authorization: `Bearer ${access_token}` };
    const twoWays = await world.request({ path: '/userinfo', headers, form: { access_token } });
    const body = `access_token=${access_token}&access_token=${access_token}`;
    const twice = await world.request({ path: '/userinfo', headers: FORM, body });
    for (const response of [twoWays, twice]) {
      expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_request']);
      expect(response.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_request"/);
    }
  });
});

describe('the challenge (RFC 6750 section 3)', () => {
  it('comes without an error code where no token was sent', async () => {
    const { statusCode, headers } = await world.request({ path: '/userinfo' });
    expect([statusCode, headers['www-authenticate']]).toEqual([401, 'Bearer realm="Users"']);
    const management = await world.request({ path: '/api/v2/clients' });
    expect([management.statusCode, management.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it('says invalid_token of one that is unknown, broken or of another kind', async () => {
    for (const token of ['unknown', 'a.b.c', tokens.id_token, tokens.refresh_token, `${tokens.access_token}x`]) {
      const { statusCode, headers, body } = await userinfo(world, token);
      expect([statusCode, body]).toEqual([401, 'Unauthorized']);
      expect(headers['www-authenticate']).toMatch(
        /^Bearer realm="Users", error="invalid_token", error_description="[^"\\]+"$/,
      );
    }
  });

  it('names one realm and one error, each once', async () => {
    const { headers } = await userinfo(world, 'unknown');
    for (const attribute of ['realm=', 'error=', 'error_description='])
      expect(String(headers['www-authenticate']).split(attribute)).toHaveLength(2);
  });

  it('comes from the Management API as well, with 403 and the scopes needed where only they are missing', async () => {
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const foreign = await world.request({ path: '/api/v2/clients', headers });
    expect([400, 401]).toContain(foreign.statusCode);
    const unsigned = await world.request({ path: '/api/v2/clients', headers: { authorization: 'Bearer a.b.c' } });
    expect(unsigned.headers['www-authenticate']).toMatch(/^Bearer error="/);
    const narrow = await world.api('read:roles').get('/clients');
    expect([narrow.statusCode, narrow.json().errorCode]).toEqual([403, 'insufficient_scope']);
  });
});

describe('what protects a bearer token (RFC 6750 section 5)', () => {
  it('ends: an opaque one after a day, at /userinfo', async () => {
    const { access_token, expires_in } = (await passwordTokens(world, { scope: 'openid' })).json();
    world.advance((expires_in - 1) * 1000);
    expect((await userinfo(world, access_token)).statusCode).toBe(200);
    world.advance(2_000);
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
  });

  it('ends: a JWT after the lifetime of its API', async () => {
    const form = { audience: 'https://api.example.com/', scope: 'openid' };
    const { access_token, expires_in } = (await passwordTokens(world, form)).json();
    const { iat, exp } = claimsOf(access_token);
    expect(Number(exp) - Number(iat)).toBe(expires_in);
    expect((await userinfo(world, access_token)).statusCode).toBe(200);
    world.advance((expires_in + 1) * 1000);
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
  });

  it('is for one audience: a token of another API opens neither /userinfo nor the Management API', async () => {
    const form = { audience: 'https://api.example.com/', scope: 'read:items' };
    const { access_token } = (await passwordTokens(world, form)).json();
    expect(claimsOf(access_token).aud).toBe('https://api.example.com/');
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
    const headers = { authorization: `Bearer ${access_token}` };
    expect((await world.request({ path: '/api/v2/clients', headers })).statusCode).toBe(401);
  });

  it('is for one tenant', async () => {
    const other = await world.createTenant('other');
    const { access_token } = (await passwordTokens(world, { scope: 'openid' })).json();
    const headers = { authorization: `Bearer ${access_token}` };
    expect((await world.request({ path: '/userinfo', headers })).statusCode).toBe(200);
    expect((await world.request({ path: '/userinfo', headers, tenant: other })).statusCode).toBe(401);
  });

  it('is stored by no cache: answers that carry or follow from one say so', async () => {
    const answers = [await passwordTokens(world), await userinfo(world, 'x')];
    for (const { headers } of answers) expect(headers['cache-control']).toMatch(/no-store/);
  });
});
