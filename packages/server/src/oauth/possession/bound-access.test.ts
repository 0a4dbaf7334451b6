import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDpopKey, type ProofChanges, proofFor, tokenWithProof } from '../../../test/dpop.ts';
import { API, type DpopWorld, startDpopWorld } from '../../../test/dpop-world.ts';
import { created, decodeJwt, passwordGrant } from '../../../test/protocol.ts';
import type { World } from '../../../test/world.ts';

const USERINFO = { method: 'GET', path: '/userinfo' } as const;

let dpop: DpopWorld;
let world: World;
const key = createDpopKey();
beforeAll(async () => {
  dpop = await startDpopWorld(key);
  world = dpop.world;
});
afterAll(() => world.stop());

describe('a bound access token at /userinfo', () => {
  async function show(token: string, changes: ProofChanges = {}, { scheme = 'DPoP', by = key, proof = true } = {}) {
    return world.request({
      ...USERINFO,
      headers: {
        authorization: `${scheme} ${token}`,
        ...(proof && { dpop: await proofFor(world, by, USERINFO, { accessToken: token, ...changes }) }),
      },
    });
  }
  /** Of the confidential client; `audience` makes it a JWT. */
  async function token(audience?: string): Promise<string> {
    const response = await tokenWithProof(world, key, {
      grant_type: 'password',
      ...world.password_client,
      username: world.user.email,
      password: world.user.password,
      scope: 'openid email',
      ...(audience && { audience }),
    });
    expect(response.json()).toMatchObject({ token_type: 'DPoP' });
    return response.json().access_token;
  }

  it.each([
    ['opaque', undefined],
    ['a JWT', API],
  ])('opens it with a proof, being %s', async (_what, audience) => {
    const accessToken = await token(audience);
    const response = await show(accessToken);
    expect(response.json()).toMatchObject({ email: world.user.email });
    expect(response.headers['dpop-nonce']).toMatch(/^[\w-]{20,}$/);
    expect(response.headers['access-control-expose-headers']).toContain('DPoP-Nonce');
  });

  it.each([
    ['opaque', undefined],
    ['a JWT', API],
  ])('opens nothing to anybody else, being %s', async (_what, audience) => {
    const accessToken = await token(audience);
    const others = [
      await show(accessToken, {}, { scheme: 'Bearer' }),
      await show(accessToken, {}, { scheme: 'Bearer', proof: false }),
      await show(accessToken, {}, { proof: false }),
      await show(accessToken, {}, { by: createDpopKey() }),
      await show(accessToken, { claims: { ath: undefined } }),
      await show(accessToken, { accessToken: 'another' }),
      await show(accessToken, { claims: { htm: 'POST' } }),
      await world.request({ path: '/userinfo', form: { access_token: accessToken } }),
    ];
    for (const response of others) {
      expect([response.statusCode, response.body]).toEqual([401, 'Unauthorized']);
      expect(response.headers['www-authenticate']).toMatch(/^DPoP realm="Users", error="invalid_/);
    }
  });

  it('opens it once with one proof', async () => {
    const accessToken = await token();
    const headers = {
      authorization: `DPoP ${accessToken}`,
      dpop: await proofFor(world, key, USERINFO, { accessToken }),
    };
    expect((await world.request({ ...USERINFO, headers })).statusCode).toBe(200);
    const again = await world.request({ ...USERINFO, headers });
    expect(again.headers['www-authenticate']).toContain('invalid_dpop_proof');
  });

  it('needs a nonce where its client is public', async () => {
    const tokens = (await dpop.spaTokens()).json();
    const first = await show(tokens.access_token);
    expect(first.statusCode).toBe(401);
    expect(first.headers['www-authenticate']).toContain('error="use_dpop_nonce"');
    const nonce = String(first.headers['dpop-nonce']);
    expect((await show(tokens.access_token, { nonce })).statusCode).toBe(200);
  });

  it('that is bound to nothing is not taken with the scheme DPoP', async () => {
    const bearer = (await passwordGrant(world, { scope: 'openid' })).json().access_token;
    expect((await show(bearer, {}, { scheme: 'Bearer', proof: false })).statusCode).toBe(200);
    expect((await show(bearer)).statusCode).toBe(401);
  });

  it('that an edited cnf would free is not ours any more', async () => {
    const [header, , signature] = (await token(API)).split('.');
    const { cnf: _cnf, ...claims } = decodeJwt(await token(API)).claims;
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const forged = `${header}.${payload}.${signature}`;
    expect((await show(forged, {}, { scheme: 'Bearer', proof: false })).statusCode).toBe(401);
  });
});

describe('a bound access token at the Management API', () => {
  const CLIENTS = { method: 'GET', path: '/api/v2/clients?per_page=1' } as const;

  it('is good with a proof for each request, and with nothing else', async () => {
    const servers = (await world.api().get('/resource-servers')).json();
    const system = servers.find((api: { is_system?: boolean }) => api.is_system);
    await created(
      world
        .api()
        .patch(`/resource-servers/${system.id}`, { proof_of_possession: { mechanism: 'dpop', required: false } }),
    );
    const form = { grant_type: 'client_credentials', ...world.management, audience: world.managementAudience };
    const token = (await tokenWithProof(world, key, form)).json().access_token;
    expect(decodeJwt(token).claims).toMatchObject({ cnf: { jkt: key.jkt } });
    const show = async (scheme: string, changes: ProofChanges | undefined, by = key) =>
      world.request({
        ...CLIENTS,
        headers: {
          authorization: `${scheme} ${token}`,
          ...(changes && { dpop: await proofFor(world, by, CLIENTS, { accessToken: token, ...changes }) }),
        },
      });
    expect((await show('DPoP', {})).statusCode).toBe(200);
    const others = [
      await show('Bearer', undefined),
      await show('Bearer', {}),
      await show('DPoP', undefined),
      await show('DPoP', {}, createDpopKey()),
      await show('DPoP', { accessToken: 'another' }),
      await show('DPoP', { claims: { htu: `${world.origin}/api/v2/users` } }),
    ];
    for (const response of others) {
      expect(response.statusCode).toBe(401);
      expect(response.json()).toMatchObject({ statusCode: 401, error: 'Unauthorized', message: 'Invalid token' });
      expect(response.headers['www-authenticate']).toMatch(/^DPoP error="invalid_/);
    }
  });
});
