import { createHash, generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDpopKey, type ProofChanges, proofFor, tokenWithProof } from '../../../test/dpop.ts';
import { type DpopWorld, startDpopWorld, TOKEN } from '../../../test/dpop-world.ts';
import { decodeJwt, eventTypesOf } from '../../../test/protocol.ts';
import type { World } from '../../../test/world.ts';

let dpop: DpopWorld;
let world: World;
const key = createDpopKey();
beforeAll(async () => {
  dpop = await startDpopWorld(key);
  world = dpop.world;
});
afterAll(() => world.stop());

describe('a DPoP proof at /oauth/token', () => {
  it('binds the access token to its key', async () => {
    const response = await tokenWithProof(world, key, dpop.machineForm());
    expect(response.json()).toMatchObject({ token_type: 'DPoP' });
    expect(decodeJwt(response.json().access_token).claims).toMatchObject({ cnf: { jkt: key.jkt } });
    expect(response.headers['dpop-nonce']).toMatch(/^[\w-]{20,}$/);
  });

  it('leaves a request without a proof as it was', async () => {
    const response = await world.token(dpop.machineForm());
    expect(response.json()).toMatchObject({ token_type: 'Bearer' });
    expect(decodeJwt(response.json().access_token).claims).not.toHaveProperty('cnf');
    expect(response.headers['dpop-nonce']).toBeUndefined();
  });

  it('binds nothing at an API for which no way of binding is set', async () => {
    const client = await dpop.machineFor('https://api.example.com/');
    const response = await tokenWithProof(world, key, dpop.machineForm(client, 'https://api.example.com/'));
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
      const response = await dpop.present(changes);
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
    for (const proof of proofs) {
      const response = await world.request({ ...TOKEN, form: dpop.machineForm(), headers: { dpop: proof } });
      expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_dpop_proof']);
    }
  });

  it('takes the URL in any spelling that means the same', async () => {
    for (const htu of [
      'https://LOCALHOST:3443/oauth/token',
      'https://localhost:3443/oauth/./token',
      'https://localhost:3443/oauth/token?x=1#y',
    ])
      expect((await dpop.present({ claims: { htu } })).statusCode).toBe(200);
  });

  it('counts once, at two servers as well', async () => {
    const second = await world.secondServer();
    try {
      const headers = { dpop: await proofFor(world, key, TOKEN) };
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? world : second).request({ ...TOKEN, form: dpop.machineForm(), headers }),
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
    expect((await dpop.present({ nonce: 'made-up' })).json()).toEqual(refusal);
    const nonce = String((await dpop.present()).headers['dpop-nonce']);
    expect((await dpop.present({ nonce })).statusCode).toBe(200);
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

describe('what is kept', () => {
  it('is no proof: only the hash of its key and jti, until its time is over', async () => {
    await dpop.present({ claims: { jti: 'a-jti-that-is-not-stored' } });
    const { rows } = await world.database.pool.query('select * from dpop_proofs');
    expect(JSON.stringify(rows)).not.toContain('a-jti-that-is-not-stored');
    const hash = createHash('sha256').update(`${key.jkt} a-jti-that-is-not-stored`).digest('base64url');
    const row = rows.find(({ proof_hash }) => proof_hash === hash);
    expect(row.expires_at.getTime()).toBeGreaterThan(world.now().getTime());
  });
});
