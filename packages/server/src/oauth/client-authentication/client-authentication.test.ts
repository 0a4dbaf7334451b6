import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventTypesOf, type TestClient } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://api.example.com/';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const UNAUTHORIZED = { error: 'access_denied', error_description: 'Unauthorized' };
const INVALID_CLIENT = { error: 'invalid_client', error_description: 'Client authentication failed' };

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** Asks for a token: a refused client is told apart from a refused audience. */
function ask(form: Record<string, string>, headers: Record<string, string> = {}) {
  return world.request({
    path: '/oauth/token',
    form: { grant_type: 'client_credentials', audience: API, ...form },
    headers,
  });
}
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

async function machine(body: Record<string, unknown> = {}): Promise<TestClient> {
  const client = await createTestClient(
    world,
    { app_type: 'non_interactive', grant_types: ['client_credentials'], ...body },
    { mayLogIn: false },
  );
  await world.api().post('/client-grants', { client_id: client.client_id, audience: API, scope: ['read:items'] });
  return client;
}

describe('a client with a secret', () => {
  it('whose method is post is refused with Basic', async () => {
    const client = await machine({ token_endpoint_auth_method: 'client_secret_post' });
    expect((await ask({ ...client })).statusCode).toBe(200);
    const response = await ask({}, basic(client.client_id, client.client_secret));
    expect(response.statusCode).toBe(401);
    expect(response.json()).toEqual(INVALID_CLIENT);
    expect(response.headers['www-authenticate']).toMatch(/^Basic /);
  });

  it('whose method is Basic is refused with post', async () => {
    const client = await machine({ token_endpoint_auth_method: 'client_secret_basic' });
    expect((await ask({}, basic(client.client_id, client.client_secret))).statusCode).toBe(200);
    const response = await ask({ ...client });
    expect(response.statusCode).toBe(401);
    expect(response.json()).toEqual(INVALID_CLIENT);
  });

  it('may use either where no method was ever set', async () => {
    const client = await machine();
    expect((await ask({ ...client })).statusCode).toBe(200);
    expect((await ask({}, basic(client.client_id, client.client_secret))).statusCode).toBe(200);
    expect((await ask({ client_id: client.client_id }, basic(client.client_id, client.client_secret))).statusCode).toBe(
      200,
    );
  });

  it('is refused with a wrong secret, without one and with two', async () => {
    const client = await machine();
    const types = await eventTypesOf(world, async () => {
      expect((await ask({ ...client, client_secret: `${client.client_secret}x` })).json()).toEqual(UNAUTHORIZED);
      expect((await ask({}, basic(client.client_id, 'wrong'))).json()).toEqual(UNAUTHORIZED);
      expect((await ask({ client_id: client.client_id })).json()).toEqual(UNAUTHORIZED);
      const twice = await ask({ ...client }, basic(client.client_id, client.client_secret));
      expect(twice.statusCode).toBe(400);
      expect(twice.json()).toMatchObject({ error: 'invalid_request' });
    });
    expect(types).toEqual(['feccft', 'feccft', 'feccft', 'feccft']);
  });

  it.each([['Basic'], ['Basic '], ['Basic %%%'], ['Basic YQ=='], [`Basic ${'YTpi'.repeat(1_000)}`]])(
    'is refused with the broken header %j',
    async (authorization) => {
      const { client_id } = world.spa_client;
      const response = await ask({ client_id }, { authorization });
      expect(response.statusCode).toBe(401);
      expect(response.json()).toEqual(UNAUTHORIZED);
    },
  );

  it('may not name another client in the body', async () => {
    const [one, other] = [await machine(), await machine()];
    const response = await ask({ client_id: other.client_id }, basic(one.client_id, one.client_secret));
    expect(response.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('is unknown at another tenant', async () => {
    const client = await machine();
    const other = await world.createTenant('elsewhere');
    const form = { grant_type: 'client_credentials', ...client, audience: API };
    expect((await world.token(form, other)).json()).toEqual(UNAUTHORIZED);
  });
});

describe('a public client', () => {
  it('gets no token for itself', async () => {
    const client = await createTestClient(world, {
      token_endpoint_auth_method: 'none',
      grant_types: ['client_credentials'],
    });
    const response = await ask({ client_id: client.client_id });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ error: 'unauthorized_client' });
  });

  it('is refused with a secret', async () => {
    const response = await ask({ client_id: world.spa_client.client_id, client_secret: 'anything' });
    expect(response.json()).toEqual(UNAUTHORIZED);
  });
});

describe('private_key_jwt', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  let client: TestClient;
  beforeAll(async () => {
    client = await machine({
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', name: 'key', pem, alg: 'RS256' }] },
      },
    });
  });

  interface Changes {
    readonly [claim: string]: unknown;
  }
  const claims = (changes: Changes = {}) => {
    const now = Math.floor(world.now().getTime() / 1000);
    return {
      iss: client.client_id,
      sub: client.client_id,
      aud: world.issuer,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
      ...changes,
    };
  };
  const sign = (changes: Changes = {}, alg = 'RS256', key: KeyObject | Uint8Array = privateKey) =>
    new SignJWT(claims(changes)).setProtectedHeader({ alg }).sign(key);
  const present = (assertion: string, form: Record<string, string> = {}) =>
    ask({ client_assertion_type: ASSERTION, client_assertion: assertion, ...form });

  it('proves the client, with the issuer or the token endpoint as audience', async () => {
    expect((await present(await sign())).statusCode).toBe(200);
    const aud = `${world.issuer}oauth/token`;
    expect((await present(await sign({ aud }), { client_id: client.client_id })).statusCode).toBe(200);
  });

  it('counts once, at two servers as well', async () => {
    const second = await world.secondServer();
    try {
      const form = {
        grant_type: 'client_credentials',
        audience: API,
        client_assertion_type: ASSERTION,
        client_assertion: await sign(),
      };
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? world : second).request({ path: '/oauth/token', form }),
        ),
      );
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array(9).fill(401)]);
    } finally {
      await second.stop();
    }
  });

  it.each<[string, Changes]>([
    ['for another audience', { aud: 'https://other.example.com/' }],
    ['that has expired', { exp: 1 }],
    ['that is good for an hour', { exp: Math.floor(Date.now() / 1000) + 3_600 }],
    ['without an end', { exp: undefined }],
    ['without jti', { jti: undefined }],
    ['of another issuer', { iss: 'somebody' }],
    ['about another client', { sub: 'somebody' }],
    ['about no text', { sub: { a: 1 } }],
    ['that counts from tomorrow', { nbf: Math.floor(Date.now() / 1000) + 86_400 }],
  ])('is refused %s', async (_what, changes) => {
    const types = await eventTypesOf(world, async () => {
      const response = await present(await sign(changes), { client_id: client.client_id });
      expect(response.statusCode).toBe(401);
      expect(response.json()).toEqual(INVALID_CLIENT);
    });
    expect(types).toEqual(['feccft']);
  });

  it('is refused where the key or the algorithm is not the registered one', async () => {
    const strange = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
    const assertions = [
      await sign({}, 'RS256', strange),
      await sign({}, 'RS384'),
      await sign({}, 'PS256'),
      await sign({}, 'HS256', Buffer.from(pem)),
      await sign({}, 'HS256', Buffer.from(client.client_secret || 'none')),
      new UnsecuredJWT(claims()).encode(),
      'no.jwt.atall',
      '',
    ];
    for (const assertion of assertions) {
      const response = await present(assertion, { client_id: client.client_id });
      expect(response.statusCode).toBe(401);
    }
  });

  it('counts with a new key beside the old one, and with neither that has expired or was taken out', async () => {
    const next = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const api = world.api();
    const path = `/clients/${client.client_id}`;
    const [old] = (await api.get(`${path}/credentials`)).json();
    const body = {
      credential_type: 'public_key',
      pem: next.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };
    const added = (await api.post(`${path}/credentials`, body)).json();
    const use = (...ids: string[]) =>
      api.patch(path, {
        client_authentication_methods: { private_key_jwt: { credentials: ids.map((id) => ({ id })) } },
      });
    const statuses = async () => [
      (await present(await sign())).statusCode,
      (await present(await sign({}, 'RS256', next.privateKey))).statusCode,
    ];
    expect(await statuses()).toEqual([200, 401]);
    await use(old.id, added.id);
    expect(await statuses()).toEqual([200, 200]);
    await api.patch(`${path}/credentials/${old.id}`, {
      expires_at: new Date(world.now().getTime() - 1_000).toISOString(),
    });
    expect(await statuses()).toEqual([401, 200]);
    await api.patch(`${path}/credentials/${old.id}`, { expires_at: null });
    await use(old.id);
    expect(await statuses()).toEqual([200, 401]);
  });

  it('is no HMAC with a client’s secret (client_secret_jwt)', async () => {
    const other = await machine();
    const assertion = await sign(
      { iss: other.client_id, sub: other.client_id },
      'HS256',
      Buffer.from(other.client_secret),
    );
    expect((await present(assertion)).json()).toEqual(INVALID_CLIENT);
    expect((await present(assertion, { client_id: other.client_id })).json()).toEqual(INVALID_CLIENT);
  });

  it('is for the endpoint that is asked, too', async () => {
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      const assertion = await sign({ aud: `${world.origin}${path}` });
      const form = { client_assertion_type: ASSERTION, client_assertion: assertion, token: 'x' };
      expect((await world.request({ path, form })).statusCode).toBe(200);
    }
  });

  it('is the only way in for a client that has it', async () => {
    expect((await ask({ client_id: client.client_id })).json()).toEqual(INVALID_CLIENT);
    expect((await ask({ client_id: client.client_id, client_secret: 'x' })).json()).toEqual(INVALID_CLIENT);
    const other = await machine();
    const assertion = await sign({ iss: other.client_id, sub: other.client_id });
    expect((await present(assertion)).json()).toEqual(INVALID_CLIENT);
  });
});
