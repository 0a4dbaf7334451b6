import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { created, createTestUser, decodeJwt, passwordGrant, redeem, refresh } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { loginClaims, rule, seenByRules, setRules } from './rules.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

const SEEN = 'https://example.com/seen';

describe('context', () => {
  it('RUL.16: has the documented members in a browser flow', async () => {
    await setRules(world, [rule(`context.idToken['${SEEN}'] = JSON.parse(JSON.stringify(context));`)]);
    const login = await world
      .visitor()
      .logIn({ parameters: { nonce: 'n', acr_values: 'some:level', 'ext-color': 'red' } });
    const tokens = (await redeem(world, login)).json();
    const { claims } = decodeJwt(tokens.id_token);
    expect(claims[SEEN]).toEqual({
      tenant: 'dev',
      clientID: world.spa_client.client_id,
      clientName: expect.any(String),
      clientMetadata: {},
      connectionID: expect.stringMatching(/^con_/),
      connection: world.connection,
      connectionStrategy: 'auth0',
      connectionOptions: {},
      connectionMetadata: {},
      protocol: 'oidc-basic-profile',
      request: {
        userAgent: expect.any(String),
        ip: '127.0.0.1',
        hostname: 'localhost:3443',
        method: 'GET',
        query: {
          response_type: 'code',
          client_id: world.spa_client.client_id,
          redirect_uri: expect.any(String),
          scope: 'openid profile email offline_access',
          state: 'some-state',
          code_challenge: expect.any(String),
          code_challenge_method: 'S256',
          nonce: 'n',
          acr_values: 'some:level',
          'ext-color': 'red',
        },
        body: {},
      },
      stats: { loginsCount: 1 },
      sso: { with_auth0: false, with_dbconn: false, current_clients: [] },
      sessionID: claims.sid,
      authentication: { methods: [{ name: 'pwd', timestamp: world.now().getTime() }] },
      authorization: { roles: [] },
      primaryUser: claims.sub,
      idToken: {},
      accessToken: {},
      samlConfiguration: {},
      jwtConfiguration: {},
    });
  });

  it('RUL.16: names roles, connections and applications, and hands out no secret of any of them', async () => {
    const api = world.api();
    const user = await createTestUser(world, 'roles');
    const role = await created(api.post('/roles', { name: 'editor', description: 'x' }));
    await api.post(`/users/${user.id}/roles`, { roles: [role.id] });
    const client = `/clients/${world.password_client.client_id}`;
    await api.patch(client, { client_metadata: { color: 'blue' } });
    const [directory] = (await api.get(`/connections?name=${world.connection}`)).json();
    await api.patch(`/connections/${directory.id}`, { metadata: { place: 'here' } });
    await setRules(world, [rule(`context.idToken['${SEEN}'] = JSON.parse(JSON.stringify(context));`)]);
    const claims = await loginClaims(world, { username: user.email, password: user.password, extra: 'shown' });
    const context = Object(claims[SEEN]);
    expect(context).toMatchObject({
      authorization: { roles: ['editor'] },
      clientMetadata: { color: 'blue' },
      connectionMetadata: { place: 'here' },
      protocol: 'oauth2-password',
      request: { method: 'POST', query: {}, body: { grant_type: 'password', username: user.email, extra: 'shown' } },
    });
    expect(context).not.toHaveProperty('sessionID');
    const text = JSON.stringify(context);
    expect(text).not.toContain(user.password);
    expect(text).not.toContain(world.password_client.client_secret);
  });

  it('RUL.17: the protocol and the application tell flows apart', async () => {
    await setRules(world, [rule(`context.idToken['${SEEN}'] = [context.protocol, context.clientID];`)]);
    const { client_id } = world.password_client;
    const password = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
    expect(decodeJwt(password.id_token).claims[SEEN]).toEqual(['oauth2-password', client_id]);
    const refreshed = (await refresh(world, password.refresh_token)).json();
    expect(decodeJwt(refreshed.id_token).claims[SEEN]).toEqual(['oauth2-refresh-token', client_id]);
  });

  it('RUL.18: configuration, error classes and modules are there', async () => {
    await world.api().put('/rules-configs/GREETING', { value: 'hello' });
    expect(
      await seenByRules(
        world,
        `[configuration.GREETING, new UnauthorizedError('x') instanceof Error, typeof require('lodash').map, typeof require('lodash@2.4.1').pluck]`,
      ),
    ).toEqual(['hello', true, 'function', 'function']);
    await world.api().put('/rules-configs/GREETING', { value: 'changed' });
    expect(await seenByRules(world, 'configuration.GREETING')).toBe('changed');
  });

  it('has no code of another tenant, nor its configuration or global', async () => {
    const other = await world.createTenant('other');
    await world.api().put('/rules-configs/SECRET', { value: 'of dev' });
    await setRules(world, [rule(`global.mark = 'dev'; context.idToken['${SEEN}'] = configuration.SECRET;`)]);
    expect((await loginClaims(world))[SEEN]).toBe('of dev');
    await setRules(
      world,
      [rule(`context.idToken['${SEEN}'] = [String(global.mark), Object.keys(configuration), context.tenant];`)],
      other,
    );
    const { email: username, password } = other.user;
    const tokens = (await passwordGrant(world, { scope: 'openid', username, password }, other)).json();
    expect(decodeJwt(tokens.id_token).claims[SEEN]).toEqual(['undefined', [], 'other']);
  });
});

describe('other sources', () => {
  let crm: Server;
  beforeAll(async () => {
    crm = createServer((request, response) => response.end(JSON.stringify({ path: request.url, tier: 'platinum' })));
    await new Promise<void>((resolve) => crm.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => crm.close(resolve)));

  it('EXP.27: a rule asks another system and puts what it says into the token', async () => {
    const { port } = crm.address() as AddressInfo;
    await world.app.stores.egress.allow('dev', 'intranet', `127.0.0.1:${port}`);
    world.app.forget('dev');
    await setRules(world, [
      `async function (user, context, callback) {
        const response = await fetch('http://127.0.0.1:${port}/customers?email=' + encodeURIComponent(user.email));
        context.idToken['${SEEN}'] = await response.json();
        callback(null, user, context);
      }`,
    ]);
    expect((await loginClaims(world))[SEEN]).toEqual({
      path: `/customers?email=${encodeURIComponent(world.user.email)}`,
      tier: 'platinum',
    });
  });
});
