import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCommands } from '../../src/actions/running/action-commands.ts';
import { created, decodeJwt, passwordGrant } from '../protocol.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

let serial = 0;

/** What a draft with these statements does with an event. */
async function tried(body: string, event: object = {}, handler = 'onExecutePostLogin') {
  const made = await created(
    manage.post('/actions/actions', {
      name: `draft ${++serial}`,
      supported_triggers: [{ id: 'post-login' }],
      code: action(handler, body),
    }),
  );
  return (await created(manage.post(`/actions/actions/${made.id}/test`, { payload: event }))).payload;
}

const KEYS = 'Object.fromEntries(Object.entries(event).map(([name, value]) => [name, Object.keys(value).sort()]))';

describe('the event of an action', () => {
  it('of a login has the documented members', async () => {
    await setActions(world, 'post-login', [
      action('onExecutePostLogin', `api.idToken.setCustomClaim('keys', ${KEYS});`),
    ]);
    const scope = 'openid profile';
    const audience = world.main.api.identifier;
    const response = await passwordGrant(world, { scope, audience });
    expect(decodeJwt(response.json().id_token).claims.keys).toEqual({
      authentication: ['methods'],
      authorization: ['roles'],
      client: ['client_id', 'metadata', 'name'],
      connection: ['id', 'name', 'strategy'],
      request: ['body', 'geoip', 'hostname', 'ip', 'method', 'query', 'user_agent'],
      resource_server: ['identifier'],
      secrets: [],
      stats: ['logins_count'],
      tenant: ['id'],
      transaction: [
        'acr_values',
        'locale',
        'metadata',
        'prompt',
        'protocol',
        'requested_scopes',
        'response_type',
        'ui_locales',
      ],
      user: [
        'app_metadata',
        'created_at',
        'email',
        'email_verified',
        'enrolledFactors',
        'identities',
        'name',
        'nickname',
        'picture',
        'updated_at',
        'user_id',
        'user_metadata',
      ],
    });
    await setActions(world, 'post-login', []);
  });

  it('of a machine has the documented members', async () => {
    await setActions(world, 'credentials-exchange', [
      action('onExecuteCredentialsExchange', `api.accessToken.setCustomClaim('keys', ${KEYS});`),
    ]);
    const { access_token } = (
      await world.token({
        grant_type: 'client_credentials',
        ...world.password_client,
        audience: world.main.api.identifier,
      })
    ).json();
    expect(decodeJwt(access_token).claims.keys).toEqual({
      accessToken: ['customClaims', 'scope'],
      client: ['client_id', 'metadata', 'name'],
      request: ['body', 'geoip', 'hostname', 'ip', 'method', 'user_agent'],
      resource_server: ['identifier'],
      secrets: [],
      tenant: ['id'],
      transaction: ['requested_scopes', 'target_scopes'],
    });
    await setActions(world, 'credentials-exchange', []);
  });
});

describe('session tokens of redirects', () => {
  const SECRET = 'a-secret-that-both-sides-know';
  const user = { user_id: 'auth0|ada' };

  it('tell a page who is on the way to it', async () => {
    const { commands } = Object(
      await tried(
        `const token = api.redirect.encodeToken({ secret: '${SECRET}', expiresInSeconds: 60, payload: { colour: 'blue', sub: 'x' } });
         api.redirect.sendUserTo('https://example.com/page?a=1', { query: { session_token: token } });`,
        { user, request: { ip: '192.0.2.7' } },
      ),
    );
    expect(commands).toMatchObject([{ name: 'redirect.sendUserTo' }]);
    const url = new URL(commands[0].arguments[0]);
    expect([url.origin, url.searchParams.get('a')]).toEqual(['https://example.com', '1']);
    const { header, claims } = decodeJwt(url.searchParams.get('session_token'));
    expect(header.alg).toBe('HS256');
    expect(claims).toMatchObject({ colour: 'blue', sub: 'auth0|ada', iss: 'localhost:3443', ip: '192.0.2.7' });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(60);
  });

  const token = (claims: Record<string, unknown>, secret = SECRET, expires = '1m') =>
    new SignJWT({ sub: 'auth0|ada', iss: 'example.com', state: 'abc', colour: 'red', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(secret));
  const read = async (given: string | undefined) => {
    const body = `api.idToken.setCustomClaim('claims', api.redirect.validateToken({ secret: '${SECRET}', tokenParameterName: 'my_token' }));`;
    return Object(await tried(body, { user, request: { query: { state: 'abc' }, body: { my_token: given } } }));
  };

  it('come back with what the page has to say', async () => {
    const { commands } = await read(await token({}));
    expect(commands[0].arguments[1]).toMatchObject({ colour: 'red', state: 'abc' });
  });

  it.each<[string, () => Promise<string | undefined> | string | undefined]>([
    ['there is none', () => undefined],
    ['it is signed by somebody else', () => token({}, 'another-secret')],
    ['it has expired', () => token({}, SECRET, '-1m')],
    ['it belongs to another redirect', () => token({ state: 'other' })],
    ['it names no redirect', () => token({ state: undefined })],
    ['it is about another user', () => token({ sub: 'auth0|eve' })],
    ['it has no issuer', () => token({ iss: undefined })],
    ['it is not signed', async () => `${(await token({})).split('.').slice(0, 2).join('.')}.`],
    [
      'it says that it needs no signature',
      async () => {
        const [, payload] = (await token({})).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
    ],
  ])('are refused where %s', async (_what, given) => {
    const { commands, error } = await read(await given());
    expect(commands).toEqual([]);
    expect(error.message).toMatch(/^The session token is invalid: /);
  });
});

describe('what an action does not get away with', () => {
  it.each([
    ['a claim without a name', 'api.idToken.setCustomClaim("", 1);', 'takes a name first'],
    ['a redirect to nowhere', 'api.redirect.sendUserTo("nowhere");', 'takes a URL'],
    ['too many wishes', 'for (let i = 0; i < 1001; i++) api.idToken.setCustomClaim("a" + i, i);', '1000 things'],
    ['methods of other triggers', 'api.transaction.setTargetScopes([]);', 'is not a function'],
  ])('%s', async (_what, body, message) => {
    expect(await tried(body)).toMatchObject({ commands: [], error: { message: expect.stringContaining(message) } });
  });

  it('a module without the function of its trigger', async () => {
    expect(await tried('', {}, 'onExecuteSomething')).toMatchObject({
      error: { message: expect.stringContaining('does not export the function onExecutePostLogin') },
    });
  });

  it('wishes after its end', async () => {
    const { commands } = Object(
      await tried(`api.idToken.setCustomClaim('in', 'time'); setTimeout(() => api.access.deny('late'), 5);`),
    );
    expect(commands).toMatchObject([{ name: 'idToken.setCustomClaim' }]);
  });

  it('lines that are no commands', () => {
    const forged = {
      commands: [null, 1, { name: 'x' }, { action: 0, name: 1, arguments: [] }, { action: 0, name: 'a' }],
    };
    expect(readCommands(forged)).toEqual([]);
    expect(readCommands('text')).toEqual([]);
    expect(
      readCommands({ commands: [{ action: 0, name: 'user.setAppMetadata', arguments: ['__proto__', {}] }] }),
    ).toEqual([]);
  });
});
