import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDpopKey, tokenWithProof } from '../../../test/dpop.ts';
import { API, type DpopWorld, startDpopWorld } from '../../../test/dpop-world.ts';
import { decodeJwt, redeem } from '../../../test/protocol.ts';
import type { World } from '../../../test/world.ts';

let dpop: DpopWorld;
let world: World;
const key = createDpopKey();
beforeAll(async () => {
  dpop = await startDpopWorld(key);
  world = dpop.world;
});
afterAll(() => world.stop());

describe('an API that insists on DPoP', () => {
  it('gives no token without a proof: to nobody, or to no public client', async () => {
    await dpop.requirePossession({ mechanism: 'dpop', required: true });
    const refused = { error: 'invalid_request', error_description: 'A DPoP proof of possession is required' };
    expect((await world.token(dpop.machineForm())).json()).toEqual(refused);
    expect((await tokenWithProof(world, key, dpop.machineForm())).json()).toMatchObject({ token_type: 'DPoP' });
    await dpop.requirePossession({ mechanism: 'dpop', required: true, required_for: 'public_clients' });
    expect((await world.token(dpop.machineForm())).statusCode).toBe(200);
    const login = await world.visitor().logIn({ parameters: { audience: API } });
    expect((await redeem(world, login)).json()).toEqual(refused);
    await dpop.requirePossession({ mechanism: 'dpop', required: false });
  });

  it('is no match for a client that insists, where the API binds nothing', async () => {
    const body = { require_proof_of_possession: true };
    const strict = await dpop.machineFor(API, body);
    expect((await world.token(dpop.machineForm(strict))).json()).toMatchObject({ error: 'invalid_request' });
    expect((await tokenWithProof(world, key, dpop.machineForm(strict))).json()).toMatchObject({ token_type: 'DPoP' });
    const plain = 'https://api.example.com/';
    const other = await dpop.machineFor(plain, body);
    expect((await tokenWithProof(world, key, dpop.machineForm(other, plain))).json()).toMatchObject({
      error: 'invalid_request',
    });
  });
});

describe('a public client', () => {
  it('gets tokens of a user that are bound, and renews them with the same key alone', async () => {
    const tokens = (await dpop.spaTokens()).json();
    expect(tokens).toMatchObject({ token_type: 'DPoP', refresh_token: expect.any(String) });
    const stolen = await dpop.refreshWith(tokens.refresh_token, createDpopKey());
    expect([stolen.statusCode, stolen.json().error]).toEqual([400, 'invalid_dpop_proof']);
    const bare = await world.token({
      grant_type: 'refresh_token',
      client_id: world.spa_client.client_id,
      refresh_token: tokens.refresh_token,
    });
    expect([bare.statusCode, bare.json().error]).toEqual([400, 'invalid_request']);
    const renewed = (await dpop.refreshWith(tokens.refresh_token)).json();
    expect(decodeJwt(renewed.access_token).claims).toMatchObject({ cnf: { jkt: key.jkt } });
    // The successor is bound as well, and a thief's reuse without the key ends nothing.
    expect((await dpop.refreshWith(tokens.refresh_token, createDpopKey())).statusCode).toBe(400);
    expect((await dpop.refreshWith(renewed.refresh_token, createDpopKey())).statusCode).toBe(400);
    expect((await dpop.refreshWith(renewed.refresh_token)).statusCode).toBe(200);
  });

  it('binds its code to a key with dpop_jkt', async () => {
    expect((await dpop.spaTokens({ dpop_jkt: key.jkt })).statusCode).toBe(200);
    const other = await dpop.spaTokens({ dpop_jkt: key.jkt }, createDpopKey());
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
