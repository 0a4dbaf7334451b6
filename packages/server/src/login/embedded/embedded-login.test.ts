import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, createTestClient, createTestUser, enableDirectory, redeem } from '../../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

const ORIGIN = 'http://localhost:5555';

let world: World;
let clientId: string;
beforeAll(async () => {
  world = await startWorld();
  const client = await createTestClient(world, {
    app_type: 'spa',
    token_endpoint_auth_method: 'none',
    callbacks: [CALLBACK],
    web_origins: [ORIGIN],
    cross_origin_authentication: true,
    oidc_conformant: true,
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
  });
  clientId = client.client_id;
});
afterAll(() => world?.stop());

describe('POST /co/authenticate', () => {
  it('gives a ticket that the same browser takes to /authorize, and is logged in', async () => {
    const visitor = world.visitor();
    const { login_ticket, co_id, co_verifier } = (await authenticate(visitor)).json();
    expect([login_ticket, co_id, co_verifier]).toEqual([expect.any(String), expect.any(String), expect.any(String)]);
    const authorization = await visitor.authorize({ client_id: clientId, login_ticket });
    const code = authorization.answer?.get('code') ?? '';
    expect((await redeem(world, { ...authorization, code }, { client_id: clientId })).statusCode).toBe(200);
    // A session has come of it: the next request is answered without a page, and without a ticket.
    expect((await visitor.authorize({ client_id: clientId, prompt: 'none' })).answer?.get('code')).toBeTruthy();
    const told = { client_id: clientId, user_name: world.user.email };
    expect(await world.events()).toEqual(
      expect.arrayContaining(['scoa', 's'].map((type) => expect.objectContaining({ ...told, type }))),
    );
  });

  it('gives tokens at once where prompt=none comes with the ticket, as from a popup', async () => {
    const visitor = world.visitor();
    const { login_ticket } = (await authenticate(visitor)).json();
    const parameters = {
      client_id: clientId,
      login_ticket,
      prompt: 'none',
      response_type: 'token id_token',
      nonce: 'n',
    };
    expect((await visitor.authorize(parameters)).answer?.get('id_token')).toBeTruthy();
  });

  it('tells a wrong password and an unknown user alike', async () => {
    const wrong = await answer(authenticate(world.visitor(), { password: 'wrong' }));
    const unknown = await answer(authenticate(world.visitor(), { username: 'nobody@example.org' }));
    expect(wrong).toEqual({
      status: 403,
      body: { error: 'access_denied', error_description: 'Wrong email or password.' },
    });
    expect(unknown).toEqual(wrong);
    const types = (await world.events()).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['fcoa', 'fp', 'fu']));
  });

  it.each([
    ['a web origin that nobody registered', {}, { origin: 'https://evil.example.com' }, 'access_denied'],
    ['no origin at all', {}, { origin: '' }, 'access_denied'],
    ['an unknown client', { client_id: 'unknown' }, {}, 'unauthorized_client'],
    ['another kind of credential', { credential_type: 'urn:other' }, {}, 'invalid_request'],
    ['no password', { password: '' }, {}, 'invalid_request'],
    ['an unknown realm', { realm: 'elsewhere' }, {}, 'invalid_request'],
  ])('refuses %s', async (_title, body, headers, error) => {
    const response = await authenticate(world.visitor(), body, headers);
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.json()).toMatchObject({ error });
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  it('is closed to clients that did not switch it on', async () => {
    const { client_id } = await createTestClient(world, { callbacks: [CALLBACK], web_origins: [ORIGIN] });
    expect(await answer(authenticate(world.visitor(), { client_id }))).toEqual({
      status: 403,
      body: { error: 'unauthorized_client', error_description: 'Cross origin login not allowed.' },
    });
  });

  it('is closed to a connection that is disabled for the client, and to a blocked user', async () => {
    await enableDirectory(world, clientId, false);
    expect((await authenticate(world.visitor())).statusCode).toBe(400);
    await enableDirectory(world, clientId, true);
    const { id, email, password } = await createTestUser(world, 'blocked');
    await world.api().patch(`/users/${encodeURIComponent(id)}`, { blocked: true });
    const refused = await authenticate(world.visitor(), { username: email, password });
    expect([refused.statusCode, refused.json().error]).toEqual([401, 'unauthorized']);
  });
});

describe('a login ticket', () => {
  it('is good once', async () => {
    const visitor = world.visitor();
    const { login_ticket } = (await authenticate(visitor)).json();
    const [one, two] = await Promise.all(
      [1, 2].map(() => visitor.authorize({ client_id: clientId, login_ticket, prompt: 'none' })),
    );
    const codes = [one, two].filter((authorization) => authorization?.answer?.has('code'));
    expect(codes).toHaveLength(1);
  });

  it('logs no other browser in: nobody can be sent to an account of somebody else (attack L6)', async () => {
    const { login_ticket } = (await authenticate(world.visitor())).json();
    const victim = world.visitor();
    const refused = await victim.authorize({ client_id: clientId, login_ticket });
    expect(refused.answer?.get('error')).toBe('access_denied');
    expect((await victim.authorize({ client_id: clientId, prompt: 'none' })).answer?.get('error')).toBe(
      'login_required',
    );
  });

  it('logs no other browser in by the verifier either: whoever made the ticket has it (attack L6)', async () => {
    const { login_ticket, co_verifier } = (await authenticate(world.visitor())).json();
    const victim = world.visitor();
    const refused = await victim.authorize({ client_id: clientId, login_ticket, co_verifier });
    expect(refused.answer?.get('error')).toBe('access_denied');
  });

  it('ends with the password that it was given for, and with all that the user’s logins opened', async () => {
    const { id, email, password } = await createTestUser(world, 'changes');
    const end = [
      () => world.api().post(`/users/${encodeURIComponent(id)}/revoke-access`, {}),
      () => world.api().post(`/users/${encodeURIComponent(id)}/revoke-access`, { preserve_refresh_tokens: true }),
      () => world.api().delete(`/users/${encodeURIComponent(id)}/sessions`),
      // As one that comes in the midst of the redemption, when there is no ticket to end.
      async () => {
        await world.database.pool.query('update users set last_password_reset = now() where user_id = $1', [id]);
        return { statusCode: 200 };
      },
      () => world.api().patch(`/users/${encodeURIComponent(id)}`, { password: 'Another-horse-entirely-8' }),
    ];
    for (const change of end) {
      const thief = world.visitor();
      const { login_ticket } = (await authenticate(thief, { username: email, password })).json();
      expect((await change()).statusCode).toBeLessThan(300);
      const late = await thief.authorize({ client_id: clientId, login_ticket });
      expect(late.answer?.get('error')).toBe('access_denied');
    }
  });

  it('is worth nothing for another client, after five minutes, and once the user is blocked', async () => {
    const other = world.visitor();
    const { login_ticket: foreign } = (await authenticate(other)).json();
    const ofOther = await other.authorize({ client_id: world.spa_client.client_id, login_ticket: foreign });
    expect(ofOther.answer?.get('error')).toBe('access_denied');

    const late = world.visitor();
    const { login_ticket: old } = (await authenticate(late)).json();
    world.advance(301_000);
    expect((await late.authorize({ client_id: clientId, login_ticket: old })).answer?.get('error')).toBe(
      'access_denied',
    );

    const { id, email, password } = await createTestUser(world, 'soon-blocked');
    const visitor = world.visitor();
    const { login_ticket } = (await authenticate(visitor, { username: email, password })).json();
    await world.api().patch(`/users/${encodeURIComponent(id)}`, { blocked: true });
    expect((await visitor.authorize({ client_id: clientId, login_ticket })).answer?.get('error')).toBe('access_denied');
  });
});

describe('POST /usernamepassword/login', () => {
  it('answers with a form for /login/callback, which goes on at /authorize', async () => {
    const visitor = world.visitor();
    const page = await usernamePassword(visitor, { state: '"><script>alert(1)</script>' });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).toMatch(
      /^<form method="post" name="hiddenform" action="https:\/\/localhost:3443\/login\/callback">/,
    );
    expect(page.body).not.toContain('<script>');
    const { location } = (await visitor.follow(await visitor.submit(page, {}))).headers;
    const { origin, searchParams } = new URL(String(location));
    expect([origin, searchParams.get('state')]).toEqual([ORIGIN, '"><script>alert(1)</script>']);
    expect(searchParams.get('code')).toBeTruthy();
  });

  it('tells a wrong password in the words of Lock', async () => {
    const refused = await usernamePassword(world.visitor(), { password: 'wrong' });
    expect([refused.statusCode, refused.json()]).toEqual([
      401,
      expect.objectContaining({ code: 'invalid_user_password', description: 'Wrong email or password.' }),
    ]);
  });

  it('checks what the form brings like any other /authorize request', async () => {
    const visitor = world.visitor();
    const page = await usernamePassword(visitor, { redirect_uri: 'https://evil.example.com/' });
    const end = await visitor.follow(await visitor.submit(page, {}));
    expect(end.statusCode).toBe(403);
    expect(end.headers.location).toBeUndefined();
    const malformed = await visitor.post('/login/callback', { wresult: 'x', wctx: '{' });
    expect(malformed.statusCode).toBe(400);
  });
});

describe('GET /user/ssodata', () => {
  it('tells registered origins who is logged in, and others of nobody', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const path = `/user/ssodata?client_id=${clientId}`;
    const told = await visitor.get(path, { origin: ORIGIN });
    expect(told.json()).toMatchObject({ sso: true, lastUsedUsername: world.user.email, strategy: 'auth0' });
    expect(told.headers['access-control-allow-origin']).toBe(ORIGIN);
    const stranger = await visitor.get(path, { origin: 'https://evil.example.com' });
    expect(stranger.json()).toEqual({ sso: false });
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
    expect((await world.visitor().get(path, { origin: ORIGIN })).json()).toEqual({ sso: false });
  });
});

describe('GET /client/<client_id>.js', () => {
  it('tells Lock the connections of the client as a script, and nothing of unknown clients', async () => {
    const response = await world.request({ path: `/client/${clientId}.js?t123` });
    expect(response.headers['content-type']).toContain('javascript');
    const settings = JSON.parse(/^Auth0\.setClient\((.*)\);$/.exec(response.body)?.[1] ?? '');
    expect(settings).toMatchObject({
      id: clientId,
      strategies: [{ name: 'auth0', connections: [{ name: world.connection, showSignup: true }] }],
    });
    expect((await world.request({ path: '/client/unknown.js' })).statusCode).toBe(404);
  });
});

function authenticate(
  visitor: Visitor,
  changes: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  const body = {
    client_id: clientId,
    username: world.user.email,
    password: world.user.password,
    realm: world.connection,
    credential_type: 'http://auth0.com/oauth/grant-type/password-realm',
    ...changes,
  };
  const { origin = ORIGIN, ...rest } = headers;
  return visitor.post('/co/authenticate', body, { ...(origin && { origin }), ...rest });
}

function usernamePassword(visitor: Visitor, changes: Readonly<Record<string, string>> = {}) {
  const { email: username, password } = world.user;
  const body = {
    client_id: clientId,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    connection: world.connection,
    username,
    password,
    _csrf: 'ignored',
    ...changes,
  };
  return visitor.post('/usernamepassword/login', body, { origin: ORIGIN });
}
