import { createHash, generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDpopKey, type ProofChanges, proofFor, tokenWithProof } from '../../../test/dpop.ts';
import {
  created,
  createTestClient,
  decodeJwt,
  eventTypesOf,
  passwordGrant,
  redeem,
  type TestClient,
} from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://dpop.example.com/';
const TOKEN = { method: 'POST', path: '/oauth/token' } as const;
const USERINFO = { method: 'GET', path: '/userinfo' } as const;

let world: World;
let machine: TestClient;
let apiId: string;
const key = createDpopKey();
beforeAll(async () => {
  world = await startWorld();
  const api = await created(
    world.api().post('/resource-servers', {
      identifier: API,
      name: 'DPoP',
      scopes: [{ value: 'read:items' }],
      allow_offline_access: true,
      proof_of_possession: { mechanism: 'dpop', required: false },
    }),
  );
  apiId = String(api.id);
  machine = await machineFor(API);
});
afterAll(() => world.stop());

async function machineFor(audience: string, body: Record<string, unknown> = {}): Promise<TestClient> {
  const client = await createTestClient(
    world,
    { app_type: 'non_interactive', grant_types: ['client_credentials'], ...body },
    { mayLogIn: false },
  );
  await created(world.api().post('/client-grants', { client_id: client.client_id, audience, scope: [] }));
  return client;
}

const machineForm = (client = machine, audience = API) => ({ grant_type: 'client_credentials', ...client, audience });

/** Client credentials with a proof that is sent as it is. */
async function present(changes: ProofChanges = {}, by = key) {
  return world.request({
    ...TOKEN,
    form: machineForm(),
    headers: { dpop: await proofFor(world, by, TOKEN, changes) },
  });
}

const requirePossession = (rule: Record<string, unknown>) =>
  created(world.api().patch(`/resource-servers/${apiId}`, { proof_of_possession: rule }));

/** The first-run user's tokens for the single-page application, bound to the key. */
async function spaTokens(parameters: Record<string, string> = {}, by = key) {
  const visitor = world.visitor();
  const login = await visitor.logIn({ parameters: { audience: API, ...parameters } });
  return tokenWithProof(world, by, {
    grant_type: 'authorization_code',
    client_id: world.spa_client.client_id,
    code: login.code,
    code_verifier: login.verifier,
    redirect_uri: 'http://localhost:5555/callback',
  });
}

async function refreshWith(refreshToken: string, by = key) {
  return tokenWithProof(world, by, {
    grant_type: 'refresh_token',
    client_id: world.spa_client.client_id,
    refresh_token: refreshToken,
  });
}

describe('a DPoP proof at /oauth/token', () => {
  it('binds the access token to its key', async () => {
    const response = await tokenWithProof(world, key, machineForm());
    expect(response.json()).toMatchObject({ token_type: 'DPoP' });
    expect(decodeJwt(response.json().access_token).claims).toMatchObject({ cnf: { jkt: key.jkt } });
    expect(response.headers['dpop-nonce']).toMatch(/^[\w-]{20,}$/);
  });

  it('leaves a request without a proof as it was', async () => {
    const response = await world.token(machineForm());
    expect(response.json()).toMatchObject({ token_type: 'Bearer' });
    expect(decodeJwt(response.json().access_token).claims).not.toHaveProperty('cnf');
    expect(response.headers['dpop-nonce']).toBeUndefined();
  });

  it('binds nothing at an API for which no way of binding is set', async () => {
    const client = await machineFor('https://api.example.com/');
    const response = await tokenWithProof(world, key, machineForm(client, 'https://api.example.com/'));
    expect(response.json()).toMatchObject({ token_type: 'Bearer' });
    expect(decodeJwt(response.json().access_token).claims).not.toHaveProperty('cnf');
  });

  const seconds = () => Math.floor(Date.now() / 1000);
  it.each<[string, ProofChanges]>([
    ['is for another method', { claims: { htm: 'GET' } }],
    ['is for another path', { claims: { htu: 'https://localhost:3443/oauth/revoke' } }],
    ['is for another host', { claims: { htu: 'https://elsewhere.example/oauth/token' } }],
    ['is for the http origin', { claims: { htu: 'http://localhost:3000/oauth/token' } }],
    ['names no URL', { claims: { htu: 'data:text/plain,x' } }],
    ['has no jti', { claims: { jti: undefined } }],
    ['has an endless jti', { claims: { jti: 'x'.repeat(1_000) } }],
    ['has no iat', { claims: { iat: undefined } }],
    ['is an hour old', { claims: { iat: seconds() - 3_600 } }],
    ['was made in an hour', { claims: { iat: seconds() + 3_600 } }],
    ['has another type', { header: { typ: 'JWT' } }],
    ['has no key', { header: { jwk: undefined } }],
    ['has a private key', { header: { jwk: { ...key.jwk, d: 'AA' } } }],
    ['has a key that is not on the curve', { header: { jwk: { ...key.jwk, x: key.jwk.y } } }],
    ['has a symmetric key', { header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }],
    ['has the key of another signer', { header: { jwk: createDpopKey().jwk } }],
    ['has a nonce that is no text', { claims: { nonce: 7 } }],
  ])('is refused where it %s', async (_what, changes) => {
    const types = await eventTypesOf(world, async () => {
      const response = await present(changes);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ error: 'invalid_dpop_proof' });
    });
    expect(types).toEqual(['feccft']);
  });

  it('is refused with critical extensions, another algorithm, none, and an HMAC over the public key', async () => {
    const claims = {
      jti: 'x',
      htm: 'POST',
      htu: `${world.origin}/oauth/token`,
      iat: Math.floor(world.now().getTime() / 1000),
    };
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const header = (alg: string, jwk: unknown = key.jwk) => ({ alg, typ: 'dpop+jwt', jwk }) as never;
    const proofs = [
      await new SignJWT(claims)
        .setProtectedHeader(header('RS256', rsa.publicKey.export({ format: 'jwk' })))
        .sign(rsa.privateKey),
      await new SignJWT(claims).setProtectedHeader(header('HS256')).sign(Buffer.from(JSON.stringify(key.jwk))),
      new UnsecuredJWT(claims).encode(),
      (await proofFor(world, key, TOKEN)).split('.').slice(0, 2).join('.'),
      `${await proofFor(world, key, TOKEN)}, ${await proofFor(world, key, TOKEN)}`,
      'x'.repeat(10_000),
      '',
    ];
    for (const dpop of proofs) {
      const response = await world.request({ ...TOKEN, form: machineForm(), headers: { dpop } });
      expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_dpop_proof']);
    }
  });

  it('takes the URL in any spelling that means the same', async () => {
    for (const htu of [
      'https://LOCALHOST:3443/oauth/token',
      'https://localhost:3443/oauth/./token',
      'https://localhost:3443/oauth/token?x=1#y',
    ])
      expect((await present({ claims: { htu } })).statusCode).toBe(200);
  });

  it('counts once, at two servers as well', async () => {
    const second = await world.secondServer();
    try {
      const headers = { dpop: await proofFor(world, key, TOKEN) };
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? world : second).request({ ...TOKEN, form: machineForm(), headers }),
        ),
      );
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array(9).fill(400)]);
    } finally {
      await second.stop();
    }
  });

  it('is of no use to another tenant', async () => {
    const other = await world.createTenant('elsewhere');
    const headers = { dpop: await proofFor(world, key, TOKEN) };
    const form = { grant_type: 'client_credentials', ...other.management, audience: other.managementAudience };
    const response = await world.request({ ...TOKEN, form, headers, tenant: other });
    expect(response.json()).toMatchObject({ error: 'invalid_dpop_proof' });
  });
});

describe('the nonce of a proof', () => {
  const refusal = { error: 'use_dpop_nonce', error_description: 'Authorization server requires nonce in DPoP proof' };
  const spaForm = () => ({
    grant_type: 'refresh_token',
    client_id: world.spa_client.client_id,
    refresh_token: 'v1.unknown',
  });
  const ask = async (nonce?: string, server: Pick<World, 'request'> = world) =>
    server.request({
      ...TOKEN,
      form: spaForm(),
      headers: { dpop: await proofFor(world, key, TOKEN, nonce === undefined ? {} : { nonce }) },
    });

  it('is asked of a public client, comes with the refusal, and is no event', async () => {
    const types = await eventTypesOf(world, async () => {
      const response = await ask();
      expect(response.statusCode).toBe(400);
      expect(response.json()).toEqual(refusal);
      expect(response.headers['dpop-nonce']).toMatch(/^[\w-]{20,}$/);
    });
    expect(types).toEqual([]);
  });

  it('is good at another server, for a minute or two, and then not any more', async () => {
    const second = await world.secondServer();
    try {
      const nonce = String((await ask()).headers['dpop-nonce']);
      expect((await ask(nonce, second)).json().error).toBe('invalid_grant');
      world.advance(100_000);
      expect((await ask(nonce)).json().error).toBe('invalid_grant');
      world.advance(200_000);
      const late = await ask(nonce);
      expect(late.json()).toEqual(refusal);
      expect(late.headers['dpop-nonce']).not.toBe(nonce);
    } finally {
      await second.stop();
    }
  });

  it('must be one of ours, also where none is asked for', async () => {
    expect((await ask('made-up')).json()).toEqual(refusal);
    expect((await present({ nonce: 'made-up' })).json()).toEqual(refusal);
    const nonce = String((await present()).headers['dpop-nonce']);
    expect((await present({ nonce })).statusCode).toBe(200);
  });

  it('of another tenant is none', async () => {
    const other = await world.createTenant('nonces');
    const headers = { dpop: await proofFor(world, key, { ...TOKEN, tenant: other }) };
    const form = { ...spaForm(), client_id: other.spa_client.client_id };
    const foreign = await world.request({ ...TOKEN, form, headers, tenant: other });
    expect((await ask(String(foreign.headers['dpop-nonce']))).json()).toEqual(refusal);
  });

  it('may be read by pages', async () => {
    const response = await world.request({
      ...TOKEN,
      form: spaForm(),
      headers: { dpop: await proofFor(world, key, TOKEN), origin: 'http://localhost:5555' },
    });
    expect(response.headers['access-control-expose-headers']).toContain('DPoP-Nonce');
  });
});

describe('an API that insists on DPoP', () => {
  it('gives no token without a proof: to nobody, or to no public client', async () => {
    await requirePossession({ mechanism: 'dpop', required: true });
    const refused = { error: 'invalid_request', error_description: 'A DPoP proof of possession is required' };
    expect((await world.token(machineForm())).json()).toEqual(refused);
    expect((await tokenWithProof(world, key, machineForm())).json()).toMatchObject({ token_type: 'DPoP' });
    await requirePossession({ mechanism: 'dpop', required: true, required_for: 'public_clients' });
    expect((await world.token(machineForm())).statusCode).toBe(200);
    const login = await world.visitor().logIn({ parameters: { audience: API } });
    expect((await redeem(world, login)).json()).toEqual(refused);
    await requirePossession({ mechanism: 'dpop', required: false });
  });

  it('is no match for a client that insists, where the API binds nothing', async () => {
    const body = { require_proof_of_possession: true };
    const strict = await machineFor(API, body);
    expect((await world.token(machineForm(strict))).json()).toMatchObject({ error: 'invalid_request' });
    expect((await tokenWithProof(world, key, machineForm(strict))).json()).toMatchObject({ token_type: 'DPoP' });
    const plain = 'https://api.example.com/';
    const other = await machineFor(plain, body);
    expect((await tokenWithProof(world, key, machineForm(other, plain))).json()).toMatchObject({
      error: 'invalid_request',
    });
  });
});

describe('a public client', () => {
  it('gets tokens of a user that are bound, and renews them with the same key alone', async () => {
    const tokens = (await spaTokens()).json();
    expect(tokens).toMatchObject({ token_type: 'DPoP', refresh_token: expect.any(String) });
    const stolen = await refreshWith(tokens.refresh_token, createDpopKey());
    expect([stolen.statusCode, stolen.json().error]).toEqual([400, 'invalid_dpop_proof']);
    const bare = await world.token({
      grant_type: 'refresh_token',
      client_id: world.spa_client.client_id,
      refresh_token: tokens.refresh_token,
    });
    expect([bare.statusCode, bare.json().error]).toEqual([400, 'invalid_request']);
    const renewed = (await refreshWith(tokens.refresh_token)).json();
    expect(decodeJwt(renewed.access_token).claims).toMatchObject({ cnf: { jkt: key.jkt } });
    // The successor is bound as well, and a thief's reuse without the key ends nothing.
    expect((await refreshWith(tokens.refresh_token, createDpopKey())).statusCode).toBe(400);
    expect((await refreshWith(renewed.refresh_token, createDpopKey())).statusCode).toBe(400);
    expect((await refreshWith(renewed.refresh_token)).statusCode).toBe(200);
  });

  it('binds its code to a key with dpop_jkt', async () => {
    expect((await spaTokens({ dpop_jkt: key.jkt })).statusCode).toBe(200);
    const other = await spaTokens({ dpop_jkt: key.jkt }, createDpopKey());
    expect([other.statusCode, other.json().error]).toEqual([400, 'invalid_dpop_proof']);
    const login = await world.visitor().logIn({ parameters: { dpop_jkt: key.jkt } });
    expect((await redeem(world, login)).json()).toMatchObject({ error: 'invalid_request' });
    const { answer } = await world.visitor().authorize({ dpop_jkt: 'short' });
    expect(answer?.get('error')).toBe('invalid_request');
  });
});

describe('a confidential client', () => {
  it('may renew with another key, to which the new access token is bound', async () => {
    const form = {
      grant_type: 'password',
      ...world.password_client,
      username: world.user.email,
      password: world.user.password,
      audience: API,
      scope: 'openid offline_access',
    };
    const tokens = (await tokenWithProof(world, key, form)).json();
    expect(decodeJwt(tokens.access_token).claims).toMatchObject({ cnf: { jkt: key.jkt } });
    const next = createDpopKey();
    const renewed = await tokenWithProof(world, next, {
      grant_type: 'refresh_token',
      ...world.password_client,
      refresh_token: tokens.refresh_token,
    });
    expect(decodeJwt(renewed.json().access_token).claims).toMatchObject({ cnf: { jkt: next.jkt } });
  });
});

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
    const tokens = (await spaTokens()).json();
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

describe('what is kept', () => {
  it('is no proof: only the hash of its key and jti, until its time is over', async () => {
    await present({ claims: { jti: 'a-jti-that-is-not-stored' } });
    const { rows } = await world.database.pool.query('select * from dpop_proofs');
    expect(JSON.stringify(rows)).not.toContain('a-jti-that-is-not-stored');
    const hash = createHash('sha256').update(`${key.jkt} a-jti-that-is-not-stored`).digest('base64url');
    const row = rows.find(({ proof_hash }) => proof_hash === hash);
    expect(row.expires_at.getTime()).toBeGreaterThan(world.now().getTime());
  });
});
