import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestUser, eventsOf, eventTypesOf, passwordGrant, redeem, refresh } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

const API = 'https://api.example.com/';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const machine = (changes: Record<string, string> = {}) =>
  world.token({ grant_type: 'client_credentials', ...world.password_client, audience: API, ...changes });
const failingLogin = async (username: string) => {
  const visitor = world.visitor();
  const { response } = await visitor.authorize();
  return () => visitor.submit(response, { username, password: 'Wrong-password-1' });
};

/** A step to watch; what leads up to it happens before. */
type Flow = () => Promise<() => Promise<unknown>>;

const FLOWS: [string, string[], Flow][] = [
  ['a login page that is only looked at', [], async () => () => world.visitor().authorize()],
  ['a login', ['s'], async () => () => world.visitor().logIn()],
  ['a login with a wrong password', ['fp'], () => failingLogin(world.user.email)],
  ['a login of nobody', ['fu'], () => failingLogin('nobody@example.org')],
  [
    'single sign-on',
    ['s'],
    async () => {
      const visitor = world.visitor();
      await visitor.logIn();
      return () => visitor.authorize();
    },
  ],
  [
    'silent authentication',
    ['ssa'],
    async () => {
      const visitor = world.visitor();
      await visitor.logIn();
      return () => visitor.authorize({ prompt: 'none' });
    },
  ],
  ['silent authentication of nobody', ['fsa'], async () => () => world.visitor().authorize({ prompt: 'none' })],
  [
    'the redemption of a code',
    ['seacft'],
    async () => {
      const login = await world.visitor().logIn();
      return () => redeem(world, login);
    },
  ],
  ['an unknown code', ['feacft'], async () => () => redeem(world, { code: 'x', verifier: 'y' })],
  ['a machine', ['seccft'], async () => () => machine()],
  ['a machine with a wrong secret', ['feccft'], async () => () => machine({ client_secret: 'wrong' })],
  ['a machine at an unknown API', ['feccft'], async () => () => machine({ audience: 'urn:unknown' })],
  ['a password login', ['sepft'], async () => () => passwordGrant(world)],
  [
    'a password login with a wrong password',
    ['fp', 'fepft'],
    async () => () => passwordGrant(world, { password: 'x' }),
  ],
  ['a password login of nobody', ['fu', 'fepft'], async () => () => passwordGrant(world, { username: 'nobody' })],
  [
    'a refresh',
    ['sertft'],
    async () => {
      const { refresh_token } = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
      return () => refresh(world, refresh_token);
    },
  ],
  ['an unknown refresh token', ['fertft'], async () => () => refresh(world, 'x')],
  [
    'a revocation, of which the second is none',
    ['srrt'],
    async () => {
      const { refresh_token: token } = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
      const revoke = () => world.request({ path: '/oauth/revoke', json: { ...world.password_client, token } });
      return () => revoke().then(revoke);
    },
  ],
  [
    'a logout, of which the second is none',
    ['slo'],
    async () => {
      const visitor = world.visitor();
      await visitor.logIn();
      return () => visitor.get('/v2/logout').then(() => visitor.get('/v2/logout'));
    },
  ],
  ['an unknown grant type', [], async () => () => machine({ grant_type: 'unknown' })],
  [
    '/userinfo with a bad token',
    [],
    async () => () => world.request({ path: '/userinfo', headers: { authorization: 'Bearer x' } }),
  ],
];

describe('the audit log', () => {
  it.each(FLOWS)('of %s has %j', async (_what, expected, flow) => {
    const step = await flow();
    expect(await eventTypesOf(world, step)).toEqual(expected);
  });

  it('has in each record what is documented for all of them', async () => {
    const flows = await Promise.all(FLOWS.map(([, , flow]) => flow()));
    const records = await eventsOf(world, async () => {
      for (const step of flows) await step();
    });
    expect(records.length).toBeGreaterThan(15);
    for (const record of records) {
      expect(record).toMatchObject({
        date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        description: expect.any(String),
        ip: '127.0.0.1',
        client_ip: '127.0.0.1',
        user_agent: 'lightMyRequest',
        hostname: 'localhost:3443',
        user_id: expect.any(String),
        log_id: expect.stringMatching(/^900\d{53}$/),
        _id: record.log_id,
        isMobile: false,
      });
      expect(JSON.stringify(record)).not.toContain(world.user.password);
      if (record.type.startsWith('f'))
        expect(record).toMatchObject({ details: { error: { message: expect.any(String) } } });
      if (['s', 'sepft', 'fp', 'fu'].includes(record.type))
        expect(record).toMatchObject({
          connection: world.connection,
          connection_id: expect.stringMatching(/^con_/),
          strategy: 'auth0',
          strategy_type: 'database',
          user_name: expect.any(String),
        });
    }
  });

  it('of a login names who, where and how', async () => {
    const visitor = world.visitor();
    const [event] = await eventsOf(world, () => visitor.logIn({ parameters: { audience: API } }));
    expect(event).toMatchObject({
      type: 's',
      client_id: world.spa_client.client_id,
      client_name: 'Example application',
      connection: world.connection,
      strategy: 'auth0',
      strategy_type: 'database',
      user_name: world.user.email,
      user_id: expect.stringMatching(/^auth0\|/),
      audience: API,
      ip: '127.0.0.1',
      hostname: 'localhost:3443',
      details: { session_id: expect.any(String), prompts: [{ name: 'prompt-authenticate' }] },
    });
  });
});

describe('a refused password exchange', () => {
  it('names the user who was asked for, cut at 256 characters, as does the event of its reason', async () => {
    const events = await eventsOf(world, () => passwordGrant(world, { username: 'a'.repeat(300) }));
    const userName = 'a'.repeat(256);
    expect(events).toEqual([
      expect.objectContaining({ type: 'fu', user_name: userName }),
      expect.objectContaining({ type: 'fepft', user_name: userName }),
    ]);
    const [refused] = await eventsOf(world, () => passwordGrant(world, { client_secret: 'wrong' }));
    expect(refused).toMatchObject({ type: 'fepft', user_name: world.user.email });
  });
});

describe('no secret stands in the audit log, in a row of it or in what the server tells its operator', () => {
  it('be it of a login, a code, a token, a key or a refused attempt', async () => {
    const secrets: [string, unknown][] = [];
    const keep = (name: string, value: unknown) => {
      expect(value, name).toEqual(expect.stringMatching(/.{8}/));
      secrets.push([name, value]);
    };
    const user = await createTestUser(world, 'secret');
    keep('password', user.password);
    const visitor = world.visitor();
    const login = await visitor.logIn({
      username: user.email,
      password: user.password,
      parameters: { nonce: 'n-0123456789' },
    });
    keep('code', login.code);
    keep('verifier', login.verifier);
    for (const [name, cookie] of visitor.cookies) keep(name, cookie);
    const tokens = (await redeem(world, login)).json();
    await redeem(world, login);
    for (const name of ['access_token', 'id_token', 'refresh_token']) keep(name, tokens[name]);
    const byPassword = (await passwordGrant(world, { scope: 'openid offline_access', audience: API })).json();
    const refreshed = (await refresh(world, byPassword.refresh_token)).json();
    keep('password refresh token', byPassword.refresh_token);
    keep('successor', refreshed.refresh_token);
    keep('JWT', refreshed.access_token);
    world.advance(60_000);
    await refresh(world, byPassword.refresh_token);
    await refresh(world, `v1.invented-${'x'.repeat(32)}`, { client_secret: 'a-wrong-client-secret' });
    keep('wrong client secret', 'a-wrong-client-secret');
    keep('invented refresh token', `v1.invented-${'x'.repeat(32)}`);
    await passwordGrant(world, { password: 'a-wrong-password' });
    keep('wrong password', 'a-wrong-password');
    const signUp = world.visitor();
    const { response } = await signUp.authorize({ screen_hint: 'signup' });
    await signUp.submit(response, { email: user.email, password: 'Sign-up-password-1' });
    await signUp.submit(response, { email: 'log@example.org', password: 'Sign-up-password-1' });
    keep('password of a sign-up', 'Sign-up-password-1');
    await world.api().patch(`/users/${user.id}`, { password: 'Changed-password-1', connection: world.connection });
    keep('changed password', 'Changed-password-1');
    await world.api().post('/keys/signing/rotate');
    const rotated = await world.api().post(`/clients/${world.password_client.client_id}/rotate-secret`);
    keep('client secret', world.password_client.client_secret);
    keep('rotated client secret', rotated.json().client_secret);
    keep('Management token', await world.managementToken());

    const listed = JSON.stringify(await world.events());
    const { rows } = await world.database.pool.query('select row_to_json(e)::text as event from log_events e');
    const stored = rows.map(({ event }) => event).join('\n');
    expect(rows.length).toBeGreaterThan(20);
    for (const place of [listed, stored, world.log.join('\n')]) {
      for (const [name, secret] of secrets) expect(place.includes(String(secret)), name).toBe(false);
      expect(place).not.toMatch(/PRIVATE KEY|"(d|p|q|dp|dq|qi)":|\$argon2|eyJ[A-Za-z0-9_-]{20}/);
    }
  });

  it('and the signing key stands in no answer about keys', async () => {
    const answers = [
      await world.request({ path: '/.well-known/jwks.json' }),
      await world.request({ path: '/pem' }),
      await world.api().get('/keys/signing'),
      await world.api().get('/clients?per_page=50'),
      await world.api().get('/tenants/settings'),
    ];
    for (const { statusCode, body } of answers) {
      expect(statusCode).toBe(200);
      expect(body).not.toMatch(/PRIVATE KEY|"(d|p|q|dp|dq|qi)":/);
    }
  });
});
