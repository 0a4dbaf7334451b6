import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHousekeeper } from '../../src/db/housekeeper.ts';
import { createLog } from '../../src/kit/log.ts';
import { createDpopKey, proofFor } from '../dpop.ts';
import { createTestClient, passwordGrant, redeem, refresh, userinfo } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';

const MINUTES = 60_000;
const API = 'https://api.example.com/';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** The clock is set by some minutes, and back when the step is done. */
async function setBy<Result>(minutes: number, step: () => Promise<Result>): Promise<Result> {
  world.advance(minutes * MINUTES);
  try {
    return await step();
  } finally {
    world.advance(-minutes * MINUTES);
  }
}
const seconds = () => Math.floor(world.now().getTime() / 1_000);
const offline = (scope = 'openid offline_access') => passwordGrant(world, { scope, audience: API });

describe('a clock that is set back by five minutes (attack F3)', () => {
  it('makes no code good a second time', async () => {
    const login = await world.visitor().logIn();
    expect((await redeem(world, login)).statusCode).toBe(200);
    expect((await setBy(-5, () => redeem(world, login))).json().error).toBe('invalid_grant');
  });

  it('takes the code, the session and the tokens of a moment ago', async () => {
    const visitor = world.visitor();
    const login = await visitor.logIn({ parameters: { audience: `${world.origin}/userinfo` } });
    await setBy(-5, async () => {
      const tokens = (await redeem(world, login)).json();
      expect((await userinfo(world, tokens.access_token)).statusCode).toBe(200);
      const silent = await visitor.authorize({ prompt: 'none', id_token_hint: tokens.id_token, max_age: '60' });
      expect(silent.answer?.get('error')).toBeNull();
    });
    const before = (await passwordGrant(world, { scope: 'openid' })).json();
    expect((await setBy(-5, () => userinfo(world, before.access_token))).statusCode).toBe(200);
  });

  it('gives no replaced refresh token another life where there is no leeway', async () => {
    const { refresh_token: first } = (await offline()).json();
    await world.api().patch(`/clients/${world.password_client.client_id}`, {
      refresh_token: { rotation_type: 'rotating', expiration_type: 'expiring', leeway: 0, token_lifetime: 3_600 },
    });
    const { refresh_token: next } = (await refresh(world, first)).json();
    expect((await setBy(-5, () => refresh(world, first))).json().error).toBe('invalid_grant');
    expect((await refresh(world, next)).json().error).toBe('invalid_grant');
  });

  it('takes a device at its word that it waited', async () => {
    const grant_types = ['urn:ietf:params:oauth:grant-type:device_code'];
    const { client_id } = await createTestClient(world, { app_type: 'native', grant_types });
    const { device_code } = (await world.request({ path: '/oauth/device/code', form: { client_id } })).json();
    const poll = () => world.token({ grant_type: grant_types[0] ?? '', client_id, device_code });
    expect((await poll()).json().error).toBe('authorization_pending');
    expect((await setBy(-5, poll)).json().error).toBeOneOf(['authorization_pending', 'slow_down']);
    expect((await setBy(1, poll)).json().error).toBe('authorization_pending');
  });
});

describe('a clock that runs ahead for a while and is set right again (attack F3)', () => {
  it('lets no assertion and no proof count twice', async () => {
    const { assertion, form } = await machine({});
    const key = createDpopKey();
    const proof = await proofFor(world, key, { method: 'POST', path: '/oauth/token' });
    const ask = (jwt: string, dpop?: string) =>
      world.request({
        path: '/oauth/token',
        form: { ...form, client_assertion: jwt },
        headers: dpop === undefined ? {} : { dpop },
      });
    expect((await ask(assertion, proof)).statusCode).toBe(200);
    await setBy(10, async () => {
      expect((await ask(assertion)).statusCode).toBe(401);
      // Clears up by the wrong clock, too.
      const { pool } = world.database;
      await createHousekeeper({ pool, now: world.now, log: createLog('json', () => {}) }).sweep();
    });
    expect((await ask(assertion)).statusCode).toBe(401);
    expect((await ask((await machine({}, form.client_id)).assertion, proof)).json().error).toBe('invalid_dpop_proof');
  });

  it('ends at its time what ended, not what began meanwhile', async () => {
    const { access_token, expires_in } = (await passwordGrant(world, { scope: 'openid' })).json();
    await setBy(expires_in / 60, async () => expect((await userinfo(world, access_token)).statusCode).toBe(401));
    expect((await userinfo(world, access_token)).statusCode).toBe(200);
  });
});

describe('the clock of a client that is wrong', () => {
  it.each([
    [-301, 'invalid_dpop_proof'],
    [-299, undefined],
    [299, undefined],
    [301, 'invalid_dpop_proof'],
  ])('by %i seconds makes its DPoP proof: %s', async (iat, error) => {
    const changes = { claims: { iat: seconds() + iat } };
    const dpop = await proofFor(world, createDpopKey(), { method: 'POST', path: '/oauth/token' }, changes);
    const { client_id, client_secret } = world.management;
    const form = { grant_type: 'client_credentials', client_id, client_secret, audience: world.managementAudience };
    expect((await world.request({ path: '/oauth/token', form, headers: { dpop } })).json().error).toBe(error);
  });

  it.each([
    ['expired within the tolerance', { exp: -9 }, 200],
    ['expired beyond it', { exp: -11 }, 401],
    ['lives five minutes', { exp: 300 }, 200],
    ['lives longer than any assertion may', { exp: 400 }, 401],
    ['is good from a few seconds on', { exp: 60, nbf: 9 }, 200],
    ['is good from five minutes on', { exp: 300, nbf: 299 }, 401],
  ])('an assertion that %s is answered so: %j gives %i', async (_what, times, status) => {
    const { assertion, form } = await machine(times);
    expect((await world.token({ ...form, client_assertion: assertion })).statusCode).toBe(status);
  });
});

describe('a leap', () => {
  it('second is no date that the Management API takes, and no error of ours', async () => {
    const { form } = await machine({});
    const path = `/clients/${form.client_id}/credentials`;
    const [{ id }] = (await world.api().get(path)).json();
    const response = await world.api().patch(`${path}/${id}`, { expires_at: '2116-12-31T23:59:60.000Z' });
    expect([response.statusCode, world.log]).toEqual([400, []]);
  });

  it('day has sessions, tokens and events like any other', async () => {
    const leapDay = Date.UTC(2028, 1, 29, 23, 59, 59);
    const minutes = (leapDay - world.now().getTime()) / MINUTES;
    await setBy(minutes, async () => {
      const visitor = world.visitor();
      expect((await redeem(world, await visitor.logIn())).statusCode).toBe(200);
      await setBy(1 / 60, async () => {
        expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toEqual(expect.any(String));
      });
    });
    expect(world.log).toEqual([]);
  });
});

const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });

/** A client with a key, or a further assertion of it; times are seconds from now. */
async function machine(times: { readonly exp?: number; readonly nbf?: number }, known?: string) {
  const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const credentials = [{ credential_type: 'public_key', name: 'key', pem, alg: 'RS256' }];
  const body = { app_type: 'non_interactive', client_authentication_methods: { private_key_jwt: { credentials } } };
  const client_id = known ?? (await createTestClient(world, body, { mayLogIn: false })).client_id;
  if (!known) await world.api().post('/client-grants', { client_id, audience: API, scope: [] });
  const claims = {
    ...{ iss: client_id, sub: client_id, aud: world.issuer, jti: randomUUID(), iat: seconds() },
    exp: seconds() + (times.exp ?? 60),
    ...(times.nbf !== undefined && { nbf: seconds() + times.nbf }),
  };
  const assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(keys.privateKey);
  const form = { grant_type: 'client_credentials', audience: API, client_id, client_assertion_type: ASSERTION };
  return { assertion, form: { ...form, client_assertion: assertion } };
}
