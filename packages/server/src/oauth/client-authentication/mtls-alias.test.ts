import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDpopKey, proofFor } from '../../../test/dpop.ts';
import { created, createTestClient, decodeJwt, type TestClient } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://mtls.example.com/';
const ALIAS = 'https://mtls.localhost:3443';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let world: World;
let client: TestClient;
const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const dpop = createDpopKey();
beforeAll(async () => {
  world = await startWorld();
  const api = world.api();
  await created(api.patch('/tenants/settings', { mtls: { enable_endpoint_aliases: true } }));
  await created(
    api.post('/resource-servers', {
      identifier: API,
      name: 'API',
      proof_of_possession: { mechanism: 'dpop', required: false },
    }),
  );
  const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  client = await createTestClient(
    world,
    {
      app_type: 'non_interactive',
      grant_types: ['client_credentials'],
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', name: 'key', pem, alg: 'RS256' }] },
      },
    },
    { mayLogIn: false },
  );
  for (const { client_id } of [client, world.password_client])
    await created(api.post('/client-grants', { client_id, audience: API, scope: [] }));
});
afterAll(() => world.stop());

const ask = (origin: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  world.request({
    path: '/oauth/token',
    form: { grant_type: 'client_credentials', audience: API, ...form },
    headers,
    tenant: { origin },
  });

async function assert(origin: string, aud: string) {
  const now = Math.floor(world.now().getTime() / 1_000);
  const { client_id } = client;
  const client_assertion = await new SignJWT({
    iss: client_id,
    sub: client_id,
    aud,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(keys.privateKey);
  return ask(origin, { client_assertion_type: ASSERTION, client_assertion });
}

describe('the host that asks for certificates', () => {
  it('is an audience of assertions that come to it, as the issuer is', async () => {
    for (const aud of [`${ALIAS}/oauth/token`, `${world.origin}/oauth/token`, world.issuer])
      expect((await assert(ALIAS, aud)).statusCode).toBe(200);
  });

  it('is no audience elsewhere, and neither is another alias', async () => {
    expect((await assert(world.origin, `${ALIAS}/oauth/token`)).statusCode).toBe(401);
    expect((await assert(ALIAS, 'https://mtls.other.localhost:3443/oauth/token')).statusCode).toBe(401);
  });

  it('is the host of proofs that come to it, and of no others', async () => {
    const asked = { method: 'POST', path: '/oauth/token' } as const;
    const present = async (origin: string, htu: string) => {
      const proof = await proofFor(world, dpop, { ...asked, tenant: { origin: htu } });
      return ask(origin, { ...world.password_client }, { dpop: proof });
    };
    const response = await present(ALIAS, ALIAS);
    expect(response.json()).toMatchObject({ token_type: 'DPoP' });
    expect(decodeJwt(response.json().access_token).claims).toMatchObject({
      iss: world.issuer,
      cnf: { jkt: dpop.jkt },
    });
    for (const [origin, htu] of [
      [ALIAS, world.origin],
      [world.origin, ALIAS],
    ] as const)
      expect((await present(origin, htu)).json()).toMatchObject({ error: 'invalid_dpop_proof' });
  });

  it('is the host of proofs at /userinfo, too', async () => {
    const form = { grant_type: 'password', username: world.user.email, password: world.user.password, scope: 'openid' };
    const made = await proofFor(world, dpop, { method: 'POST', path: '/oauth/token' });
    const { access_token: accessToken } = (
      await world.request({
        path: '/oauth/token',
        form: { ...form, ...world.password_client },
        headers: { dpop: made },
      })
    ).json();
    const tenant = { origin: ALIAS };
    const proof = await proofFor(world, dpop, { path: '/userinfo', tenant }, { accessToken });
    const headers = { authorization: `DPoP ${accessToken}`, dpop: proof };
    expect((await world.request({ path: '/userinfo', headers, tenant })).statusCode).toBe(200);
  });
});
