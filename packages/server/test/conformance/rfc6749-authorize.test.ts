import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { createApplication } from './code-flow.ts';

let world: World;
let loggedIn: Visitor;
beforeAll(async () => {
  world = await startWorld();
  loggedIn = world.visitor();
  await loggedIn.logIn();
});
afterAll(() => world.stop());

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const request = (parameters: Record<string, string>): string =>
  new URLSearchParams({
    response_type: 'code',
    client_id: world.spa_client.client_id,
    redirect_uri: CALLBACK,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...parameters,
  }).toString();
const silently = async (parameters: Record<string, string>) =>
  (await world.visitor().authorize({ prompt: 'none', ...parameters })).answer;

describe('the authorization endpoint (RFC 6749 section 3.1)', () => {
  it('takes a request by GET and by POST alike', async () => {
    const form = { ...Object.fromEntries(new URLSearchParams(request({ state: 'posted' }))) };
    const posted = await loggedIn.post('/authorize', form);
    expect(posted.statusCode).toBe(302);
    const answer = new URL(String(posted.headers.location)).searchParams;
    expect(answer.get('code')).toBeTruthy();
    expect(answer.get('state')).toBe('posted');
    expect((await loggedIn.authorize()).answer?.get('code')).toBeTruthy();
  });

  it('ignores parameters that it does not know', async () => {
    const { answer } = await loggedIn.authorize({ never_heard_of: 'x', ext: '1', display: 'popup' });
    expect(answer?.get('code')).toBeTruthy();
  });

  it('takes a parameter without a value for one that was left out', async () => {
    expect((await silently({ response_type: '' }))?.get('error')).toBe('invalid_request');
    const { answer } = await loggedIn.authorize({ state: '', prompt: '', max_age: '', audience: '', nonce: '' });
    expect(answer?.get('code')).toBeTruthy();
    expect(answer?.has('state')).toBe(false);
  });

  it('refuses a parameter that comes twice, and tells the client', async () => {
    const response = await world.request({ path: `/authorize?${request({ scope: 'openid' })}&scope=email` });
    const answer = new URL(String(response.headers.location)).searchParams;
    expect(answer.get('error')).toBe('invalid_request');
    expect(answer.get('error_description')).toBe('Parameter must not be repeated: scope');
  });

  it.each(['client_id=x', 'redirect_uri=https%3A%2F%2Fevil.example'])(
    'stays on its page when %s is added a second time',
    async (twice) => {
      const response = await world.request({ path: `/authorize?${request({})}&${twice}` });
      expect(response.statusCode).toBe(400);
      expect(response.headers.location).toBeUndefined();
    },
  );

  it('answers HEAD without a body and no other method', async () => {
    const head = await world.request({ method: 'HEAD', path: `/authorize?${request({ prompt: 'none' })}` });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    const put = await world.request({ method: 'PUT', path: `/authorize?${request({})}`, json: {} });
    expect(put.statusCode).toBe(404);
  });
});

describe('where the answer goes (RFC 6749 sections 3.1.2 and 4.1.2.1)', () => {
  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['no client', { client_id: '' }],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['an address that only begins like a registered one', { redirect_uri: 'http://localhost:5555@evil.example/' }],
    ['a fragment', { redirect_uri: `${CALLBACK}#token` }],
    ['a relative address', { redirect_uri: '/callback' }],
  ])('tells %s on a page and sends nobody anywhere', async (_what, parameters) => {
    const response = await loggedIn.get(`/authorize?${request(parameters)}`);
    expect([400, 403]).toContain(response.statusCode);
    expect(response.headers.location).toBeUndefined();
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('refuses to register an address with a fragment or without a scheme', async () => {
    for (const callback of ['https://app.example.com/cb#x', '/cb', 'app.example.com/cb']) {
      const response = await world.api().post('/clients', { name: 'Bad address', callbacks: [callback] });
      expect([callback, response.statusCode]).toEqual([callback, 400]);
    }
  });

  it('gives no code to a public client that registered no address', async () => {
    const { client_id } = await createApplication(world, { app_type: 'spa', callbacks: [] });
    for (const redirect_uri of [CALLBACK, '']) {
      const response = await loggedIn.get(`/authorize?${request({ client_id, redirect_uri })}`);
      expect(response.headers.location).toBeUndefined();
    }
  });

  it('takes the registered address where the request names none', async () => {
    const { client_id } = await createApplication(world, {
      app_type: 'spa',
      callbacks: ['https://app.example.com/cb'],
    });
    const response = await loggedIn.get(`/authorize?${request({ client_id, redirect_uri: '' })}`);
    expect(String(response.headers.location)).toMatch(/^https:\/\/app\.example\.com\/cb\?code=/);
  });

  it.each(['', '?', '?tenant=a%20b', '?tenant=a%20b&x=%C3%A9&empty=', '?code=mine', '?a&b&'])(
    'keeps the query %j of the address to the letter, with a code and with an error',
    async (query) => {
      const redirect_uri = `http://localhost:5555/callback${query}`;
      const kept = query === '' ? '?' : query;
      const success = await loggedIn.get(`/authorize?${request({ redirect_uri })}`);
      const failure = await world.request({ path: `/authorize?${request({ redirect_uri, prompt: 'none' })}` });
      for (const { headers } of [success, failure]) {
        const added = String(headers.location).slice(`http://localhost:5555/callback${kept}`.length);
        expect(headers.location).toMatch(/^http:\/\/localhost:5555\/callback\?/);
        expect(String(headers.location).startsWith(`http://localhost:5555/callback${kept}`)).toBe(true);
        expect(added).toMatch(/^&?(code=|error=login_required)/);
        if (kept.length > 1 && !kept.endsWith('&')) expect(added.startsWith('&')).toBe(true);
      }
    },
  );
});

const STATES = [
  'a b+c%20d%2B%',
  '"><script>alert(1)</script>',
  'a=b&c=d;e#f?g/h\\i',
  'Grüße, 世界 \u{1f511}',
  '%00%0d%0aSet-Cookie: x=y',
  '{"returnTo":"/a?b=c","n":[1,null]}',
  '~`!@#$%^&*()_-+={[}]|\\:;"\'<,>.?/',
  ' leading and trailing ',
  'line\r\nbreak\tand tab',
  'x'.repeat(8_192),
];

describe('state (RFC 6749 sections 4.1.2 and 4.1.2.1)', () => {
  it('comes back to the letter with a code', async () => {
    for (const state of STATES) expect((await loggedIn.authorize({ state })).answer?.get('state')).toBe(state);
  });

  it('comes back to the letter with an error', async () => {
    for (const state of STATES) {
      const answer = await silently({ state });
      expect([answer?.get('error'), answer?.get('state')]).toEqual(['login_required', state]);
    }
  });

  it('comes back to the letter after a login on our pages', async () => {
    const state = STATES.slice(0, 9).join('');
    expect((await world.visitor().logIn({ parameters: { state } })).answer?.get('state')).toBe(state);
  });

  it('is told whole or not at all when it is too long', async () => {
    const answer = await silently({ state: 'x'.repeat(8_193) });
    expect(answer?.get('error')).toBe('invalid_request');
    expect(answer?.has('state')).toBe(false);
  });
});

describe('errors at the redirect URI (RFC 6749 section 4.1.2.1)', () => {
  it.each([
    ['invalid_request', { response_type: '' }],
    ['unsupported_response_type', { response_type: 'telepathy' }],
    ['access_denied', { audience: 'https://nobody.example/' }],
    ['invalid_request', { response_mode: 'smoke' }],
    ['invalid_request', { max_age: '-1' }],
  ])('are called %s for %j', async (error, parameters) => {
    const answer = await silently({ state: 'kept', ...parameters });
    expect([answer?.get('error'), answer?.get('state')]).toEqual([error, 'kept']);
    expect(answer?.has('code')).toBe(false);
  });

  it('say that a client may not use codes', async () => {
    const body = { app_type: 'regular_web', grant_types: ['client_credentials'], callbacks: [CALLBACK] };
    const { client_id } = await createApplication(world, body);
    expect((await silently({ client_id }))?.get('error')).toBe('unauthorized_client');
  });

  it('describe themselves in printable ASCII, whatever the request said', async () => {
    for (const parameters of [{ response_type: 'co\u00e9\u4e16de\n' }, { audience: 'urn:\u00e9\r\n\u{1f511}' }]) {
      const description = (await silently(parameters))?.get('error_description') ?? '';
      expect(description).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});
