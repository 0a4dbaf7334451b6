import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, type TestClient } from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

const OTHER = 'http://localhost:5555/other';

let world: World;
let web: TestClient;
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
beforeAll(async () => {
  world = await startWorld();
  await world.api().patch('/tenants/settings', { pushed_authorization_requests_supported: true });
  const credentials = [{ name: 'requests', credential_type: 'public_key', pem, alg: 'PS256', kid: 'key-of-requests' }];
  web = await createTestClient(world, {
    app_type: 'regular_web',
    callbacks: [CALLBACK, OTHER],
    grant_types: ['authorization_code'],
    signed_request_object: { required: false, credentials },
  });
});
afterAll(() => world.stop());

const seconds = () => Math.floor(world.now().getTime() / 1000);

interface Signing {
  readonly header?: Record<string, unknown>;
  readonly key?: KeyObject | Uint8Array;
}

type Claims = Readonly<Record<string, unknown>>;

function claims(changes: Claims = {}): JWTPayload {
  return {
    iss: web.client_id,
    aud: world.issuer,
    client_id: web.client_id,
    exp: seconds() + 300,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid email',
    state: 'signed',
    ...changes,
  };
}

function sign(changes: Claims = {}, { header = {}, key = keys.privateKey }: Signing = {}): Promise<string> {
  return new SignJWT(JSON.parse(JSON.stringify(claims(changes))))
    .setProtectedHeader({ alg: 'PS256', typ: 'oauth-authz-req+jwt', ...header })
    .sign(key, { crit: { x: true } });
}

const open = (parameters: Record<string, string>, visitor = world.visitor()) =>
  visitor.get(`/authorize?${new URLSearchParams({ client_id: web.client_id, ...parameters })}`);
const answerOf = ({ headers }: { headers: { location?: unknown } }) =>
  Object.fromEntries(new URL(String(headers.location)).searchParams);

describe('a signed request', () => {
  it('is answered as it was signed, whatever stands beside it (attack A6)', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const beside = {
      response_type: 'token',
      redirect_uri: OTHER,
      scope: 'openid',
      state: 'x',
      nonce: 'x',
      prompt: 'login',
    };
    const response = await open({ request: await sign(), ...beside }, visitor);
    expect(String(response.headers.location)).toMatch(/^http:\/\/localhost:5555\/callback\?/);
    const { code = '', state } = answerOf(response);
    expect(state).toBe('signed');
    const tokens = await world.token({ grant_type: 'authorization_code', ...web, redirect_uri: CALLBACK, code });
    expect(tokens.json().scope).toBe('openid email');
  });

  it('goes through the login pages, and numbers in it count as parameters', async () => {
    const visitor = world.visitor();
    const request = await sign({ max_age: 3_600, login_hint: 'ada@example.org' });
    const page = await visitor.follow(await open({ request }, visitor));
    expect(page.body).toContain('value="ada@example.org"');
    const { email, password } = world.user;
    const done = await visitor.follow(await visitor.submit(page, { username: email, password }));
    expect(answerOf(done)).toMatchObject({ code: expect.any(String), state: 'signed' });
  });

  it.each(['JWT', 'jwt', 'oauth-authz-req+jwt', 'application/oauth-authz-req+jwt'])(
    'may be of type %s',
    async (typ) => {
      expect((await open({ request: await sign({}, { header: { typ } }) })).headers.location).toContain('/u/login');
    },
  );

  it.each([{}, { kid: 'key-of-requests' }])('names its key or not: %o', async (header) => {
    expect((await open({ request: await sign({}, { header }) })).headers.location).toContain('/u/login');
  });

  it.each<[string, () => Claims]>([
    ['ends within an hour', () => ({ exp: seconds() + 3_600 })],
    [
      'does not say when it ends, but was made within the last hour',
      () => ({ exp: undefined, iat: seconds() - 3_500 }),
    ],
    ['counts since less than an hour', () => ({ exp: undefined, nbf: seconds() - 3_500, iat: seconds() - 9_000 })],
    ['wants to live longer, but was made within the last hour', () => ({ exp: seconds() + 86_400, iat: seconds() })],
  ])('counts where it %s', async (_what, time) => {
    expect((await open({ request: await sign(time()) })).headers.location).toContain('/u/login');
  });

  it.each<[string, () => Claims]>([
    ['says nothing of its time', () => ({ exp: undefined })],
    ['ends in more than an hour', () => ({ exp: seconds() + 3_700 })],
    ['was made more than an hour ago', () => ({ exp: seconds() + 300, iat: seconds() - 3_700 })],
    ['was made in the future', () => ({ exp: undefined, iat: seconds() + 300 })],
    ['says its time in words', () => ({ exp: undefined, iat: 'now' })],
  ])('is refused where it %s', async (_what, time) => {
    const response = await open({ request: await sign(time()), redirect_uri: CALLBACK });
    expect(answerOf(response).error).toBe('invalid_request_object');
  });

  it('counts once where it has a jti: at /authorize, at /oauth/par, at two servers', async () => {
    const second = await world.secondServer();
    const request = await sign({ jti: 'once' });
    const query = new URLSearchParams({ client_id: web.client_id, request, redirect_uri: CALLBACK });
    const asked = { path: `/authorize?${query}` };
    const answers = await Promise.all([world.request(asked), second.request(asked), world.request(asked)]);
    await second.stop();
    expect(answers.filter(({ headers }) => String(headers.location).startsWith('/u/login'))).toHaveLength(1);
    expect(answerOf(await open({ request, redirect_uri: CALLBACK }))).toMatchObject({
      error: 'invalid_request_object',
      error_description: expect.stringContaining('used before'),
    });
    expect((await world.request({ path: '/oauth/par', form: { ...web, request } })).statusCode).toBe(400);
    expect((await open({ request: await sign({ jti: 'another' }) })).headers.location).toContain('/u/login');
  });

  it.each<[string, Claims, Signing]>([
    ['by a stranger', {}, { key: stranger.privateKey }],
    ['with another algorithm than the registered one', {}, { header: { alg: 'RS256' } }],
    ['with an HMAC over the public key', {}, { header: { alg: 'HS256' }, key: Buffer.from(pem) }],
    ['with a key of another name', {}, { header: { kid: 'other' } }],
    ['without a type', {}, { header: { typ: undefined } }],
    ['as an access token', {}, { header: { typ: 'at+jwt' } }],
    ['with an extension that must be understood', {}, { header: { crit: ['x'], x: 1 } }],
    ['for another issuer', { aud: 'https://other.example/' }, {}],
    ['for nobody', { aud: undefined }, {}],
    ['in the name of another client', { iss: 'other' }, {}],
    ['in no name', { iss: undefined }, {}],
    ['too long ago', { exp: 1_000_000_000 }, {}],
    ['for later', { nbf: 4_000_000_000 }, {}],
    ['about another client', { client_id: 'other' }, {}],
    ['about no client', { client_id: undefined }, {}],
    ['with a request within', { request: 'x' }, {}],
    ['with a request_uri within', { request_uri: 'https://client.example/' }, {}],
    ['as a client assertion', { sub: 'SUBJECT' }, {}],
    ['with an endless jti', { jti: 'x'.repeat(65) }, {}],
  ])('is refused when it was signed %s', async (_what, changes, signing) => {
    const before = await world.database.pool.query('select count(*) from login_transactions');
    const request = await sign({ ...changes, ...(changes.sub === 'SUBJECT' && { sub: web.client_id }) }, signing);
    const beside = await open({ request, redirect_uri: CALLBACK, state: 'x' });
    expect(answerOf(beside)).toMatchObject({ error: 'invalid_request_object', state: 'x', iss: world.issuer });
    // Its own redirect_uri is not proven.
    const alone = await open({ request });
    expect([alone.statusCode, alone.headers.location]).toEqual([400, undefined]);
    expect((await world.database.pool.query('select count(*) from login_transactions')).rows).toEqual(before.rows);
  });

  it.each(['x', 'a.b.c', 'e30.e30.', '..', 'x'.repeat(9_000)])('is no such thing as %#', async (request) => {
    expect(answerOf(await open({ request, redirect_uri: CALLBACK })).error).toMatch(/^invalid_request(_object)?$/);
  });

  it('is refused without a signature, and with one that was cut or changed', async () => {
    const signed = await sign();
    const [header = '', payload = '', signature = ''] = signed.split('.');
    const changed = Buffer.from(JSON.stringify(claims({ state: 'changed' }))).toString('base64url');
    const unsigned = new UnsecuredJWT(claims()).encode();
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    for (const request of [
      unsigned,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${changed}.${signature}`,
    ])
      expect(answerOf(await open({ request, redirect_uri: CALLBACK })).error).toBe('invalid_request_object');
  });

  it('is refused from a client that registered no key for it', async () => {
    const client = await createTestClient(world, { app_type: 'regular_web', callbacks: [CALLBACK] });
    const response = await open({ client_id: client.client_id, request: await sign(), redirect_uri: CALLBACK });
    expect(answerOf(response).error).toBe('request_not_supported');
  });

  it('does not come together with a pushed one', async () => {
    const uri = 'urn:ietf:params:oauth:request_uri:x';
    const response = await open({ request: await sign(), request_uri: uri, redirect_uri: CALLBACK });
    expect(answerOf(response).error).toBe('invalid_request');
  });

  it('with parameters that /authorize refuses is told so at its own address', async () => {
    const response = await open({ request: await sign({ response_type: 'telepathy' }) });
    expect(answerOf(response)).toMatchObject({ error: 'unsupported_response_type', state: 'signed' });
    const evil = await open({ request: await sign({ redirect_uri: 'https://evil.example/' }) });
    expect([evil.statusCode, evil.headers.location]).toEqual([403, undefined]);
  });

  it('may be pushed, and is checked then', async () => {
    const push = async (request: string) =>
      world.request({ path: '/oauth/par', form: { ...web, request, state: 'x' } });
    const response = await push(await sign());
    expect(response.statusCode).toBe(201);
    const visitor = world.visitor();
    await visitor.logIn();
    const opened = await open({ request_uri: response.json().request_uri }, visitor);
    expect(answerOf(opened)).toMatchObject({ code: expect.any(String), state: 'signed' });
    const refused = await push(await sign({}, { key: stranger.privateKey }));
    expect([refused.statusCode, refused.json().error]).toEqual([400, 'invalid_request_object']);
  });

  it('may be the only kind that a client sends', async () => {
    const [{ id }] = (await world.api().get(`/clients/${web.client_id}/credentials`)).json();
    const change = (required: boolean) =>
      world.api().patch(`/clients/${web.client_id}`, { signed_request_object: { required, credentials: [{ id }] } });
    expect((await change(true)).statusCode).toBe(200);
    const plain = { response_type: 'code', redirect_uri: CALLBACK };
    expect(answerOf(await open(plain))).toMatchObject({
      error: 'invalid_request',
      error_description: 'The client must use signed requests',
    });
    const pushed = await world.request({ path: '/oauth/par', form: { ...web, ...plain } });
    expect([pushed.statusCode, pushed.json().error]).toEqual([400, 'invalid_request']);
    expect((await open({ request: await sign() })).headers.location).toContain('/u/login');
    await change(false);
  });
});
