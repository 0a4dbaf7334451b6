import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byIntrospection } from './by-introspection.ts';
import { bySignature } from './by-signature.ts';
import { byTokenService } from './by-token-service.ts';
import { byUserinfo } from './by-userinfo.ts';

const AUDIENCE = 'https://venues';
const NEVER = new AbortController().signal;

/** A server that answers each path as a test says, and notes what came. */
let answers: Map<string, (response: ServerResponse) => void>;
let received: { path: string; headers: IncomingMessage['headers']; body: string }[];
let origin: string;
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  received.push({ path: request.url ?? '', headers: request.headers, body });
  const answer = answers.get(request.url ?? '');
  if (answer) answer(response);
  else response.writeHead(404).end();
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  answers = new Map();
  says('/.well-known/openid-configuration', {
    issuer: origin,
    jwks_uri: `${origin}/jwks`,
    userinfo_endpoint: `${origin}/userinfo`,
    introspection_endpoint: `${origin}/introspect`,
  });
});

function says(path: string, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  answers.set(path, (response) => response.writeHead(status, headers).end(text));
}

const introspection = () =>
  byIntrospection({ issuer: origin, audience: AUDIENCE, clientId: 'service', clientSecret: 'its secret' });

describe('by a token service', () => {
  const verify = () => byTokenService({ url: `${origin}/`, callerSecret: 'of this caller' })('the-token', NEVER);

  it('sends the token in a body, and who asks in a header', async () => {
    says('/token/verify', {
      active: true,
      user: { sub: 'ada' },
      permissions: ['read:venues'],
      expires_at: 1_900_000_000,
    });
    expect(await verify()).toEqual({
      active: true,
      user: { sub: 'ada' },
      permissions: ['read:venues'],
      expiresAt: 1_900_000_000,
    });
    expect(received).toMatchObject([
      { path: '/token/verify', body: '{"token":"the-token"}', headers: { authorization: 'Bearer of this caller' } },
    ]);
  });

  it('passes the reason of a refusal on', async () => {
    says('/token/verify', { active: false, reason: 'revoked' });
    expect(await verify()).toEqual({ active: false, reason: 'revoked' });
  });

  it.each<[string, unknown, number]>([
    ['the secret of another caller', { error: 'invalid_caller' }, 401],
    ['nothing', '', 200],
    ['no JSON', '<html>', 200],
    ['a list', '[]', 200],
    ['yes without a user', { active: true, permissions: [] }, 200],
    ['yes without permissions', { active: true, user: { sub: 'ada' } }, 200],
    ['yes in a text', { active: 'true', user: { sub: 'ada' }, permissions: [] }, 200],
    ['yes until no time', { active: true, user: { sub: 'ada' }, permissions: [], expires_at: null }, 200],
    ['yes for ever', '{"active":true,"user":{"sub":"ada"},"permissions":[],"expires_at":1e400}', 200],
    ['a broken service', {}, 500],
    ['a missing path', {}, 404],
  ])('takes an answer about %s for no answer', async (_what, body, status) => {
    says('/token/verify', body, status);
    await expect(verify()).rejects.toMatchObject({ code: 'service_away' });
  });

  it.each([429, 503])('waits as long as a %s says', async (status) => {
    says('/token/verify', {}, status, { 'retry-after': '17' });
    await expect(verify()).rejects.toMatchObject({ code: 'service_away', retryAfterSeconds: 17 });
  });

  it('follows no redirect: its secret would go along', async () => {
    says('/token/verify', '', 307, { location: `${origin}/elsewhere` });
    await expect(verify()).rejects.toMatchObject({ code: 'service_away' });
    expect(received).toHaveLength(1);
  });

  it('reads no endless answer', async () => {
    answers.set('/token/verify', (response) => {
      response.writeHead(200);
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', write);
      write();
    });
    await expect(verify()).rejects.toMatchObject({ code: 'service_away' });
  });

  it('ends with its signal', async () => {
    const ending = new AbortController();
    answers.set('/token/verify', () => ending.abort());
    const asked = byTokenService({ url: origin, callerSecret: 'x' })('at', ending.signal);
    await expect(asked).rejects.toMatchObject({ code: 'service_away' });
  });

  it('tells a service that is late from one that is not there', async () => {
    const never: typeof globalThis.fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const late = byTokenService({ url: origin, callerSecret: 'x', fetch: never })('at', AbortSignal.timeout(20));
    await expect(late).rejects.toThrow('did not answer in time');
  });

  it('tells of a failure without token or secret', async () => {
    const failure = await byTokenService({ url: 'http://127.0.0.1:9', callerSecret: 'of-this-caller' })(
      'the-token',
      NEVER,
    ).catch((error: unknown) => error);
    expect(String(failure)).toContain('http://127.0.0.1:9/token/verify');
    expect(String(failure)).not.toMatch(/the-token|of-this-caller/);
  });
});

describe('by introspection', () => {
  const described = {
    active: true,
    token_type: 'Bearer',
    iss: '',
    aud: AUDIENCE,
    sub: 'ada',
    scope: 'a b',
    exp: 1_900_000_000,
  };

  it('authenticates by client_secret_post, and discovers its endpoint once', async () => {
    says('/introspect', { ...described, iss: origin });
    const verify = introspection();
    expect(await verify('one', NEVER)).toEqual({
      active: true,
      user: { sub: 'ada' },
      permissions: ['a', 'b'],
      expiresAt: 1_900_000_000,
    });
    await verify('two', NEVER);
    expect(received.map(({ path }) => path)).toEqual([
      '/.well-known/openid-configuration',
      '/introspect',
      '/introspect',
    ]);
    expect(Object.fromEntries(new URLSearchParams(received[1]?.body))).toEqual({
      token: 'one',
      token_type_hint: 'access_token',
      client_id: 'service',
      client_secret: 'its secret',
    });
  });

  it.each([
    ['for another API', { aud: 'https://users' }, 'audience'],
    ['for no named API', { aud: undefined }, 'audience'],
    ['of another issuer', { iss: 'https://acme-int.example/' }, 'issuer'],
    ['that is bound to a key', { cnf: { jkt: 'abc' } }, 'bound'],
    ['with a DPoP proof', { token_type: 'DPoP' }, 'unknown'],
    ['that is a refresh token', { token_type: undefined }, 'unknown'],
    ['of nobody', { sub: undefined }, 'unknown'],
    ['with an end that is no time', { exp: 'tomorrow' }, 'unknown'],
  ])('refuses a token %s', async (_what, change, reason) => {
    says('/introspect', { ...described, iss: origin, ...change });
    expect(await introspection()('at', NEVER)).toEqual({ active: false, reason });
  });

  it.each([
    ['1e400', { active: false, reason: 'unknown' }],
    ['"1900000000"', { active: false, reason: 'unknown' }],
    ['null', { active: false, reason: 'unknown' }],
    ['-1', { active: true, expiresAt: -1 }],
    ['1900000000.5', { active: true, expiresAt: 1_900_000_000.5 }],
  ])('makes of the end %s what it is', async (exp, verdict) => {
    says('/introspect', JSON.stringify({ ...described, iss: origin, exp: 'here' }).replace('"here"', exp));
    expect(await introspection()('at', NEVER)).toMatchObject(verdict);
  });

  it.each(['admin', { 0: 'admin' }, null, [['admin']], [{ name: 'admin' }]])(
    'takes %j for no permissions, and the scope for none either',
    async (permissions) => {
      says('/introspect', { ...described, iss: origin, permissions, scope: 'admin' });
      expect(await introspection()('at', NEVER)).toMatchObject({ active: true, permissions: [] });
    },
  );

  it.each(['true', 1, null, undefined])('takes active: %j for no answer', async (active) => {
    says('/introspect', { ...described, iss: origin, active });
    await expect(introspection()('at', NEVER)).rejects.toMatchObject({ code: 'service_away' });
  });

  it('names a machine by its client where the server names no subject', async () => {
    says('/introspect', { ...described, iss: origin, sub: undefined, client_id: 'robot', aud: ['x', AUDIENCE] });
    expect(await introspection()('at', NEVER)).toMatchObject({ active: true, user: { sub: 'robot' } });
  });
});

describe('options of a verifier', () => {
  const api = { issuer: 'https://dev.example/', audience: AUDIENCE };
  it.each<[string, () => unknown]>([
    ['url', () => byTokenService({ url: 'token-service:3100', callerSecret: 'a' })],
    ['callerSecret', () => byTokenService({ url: origin, callerSecret: '' })],
    ['callerSecret', () => byTokenService({ url: origin, callerSecret: 'hush-hush\n' })],
    ['issuer', () => byUserinfo({ ...api, issuer: 'dev.example' })],
    ['audience', () => byUserinfo({ ...api, audience: '' })],
    ['clientSecret', () => byIntrospection({ ...api, clientId: 'a', clientSecret: '' })],
    ['alsoAsk', () => bySignature({ ...api, alsoAsk: undefined as never })],
  ])('are refused by name, and not repeated: %s', (name, make) => {
    expect(make).toThrow(new RegExp(`^${name} must (?!.*hush)`));
  });
});

describe('by discovery', () => {
  it('takes no metadata of another issuer', async () => {
    says('/.well-known/openid-configuration', { issuer: `${origin}/`, introspection_endpoint: `${origin}/introspect` });
    await expect(introspection()('at', NEVER)).rejects.toThrow(/is of the issuer/);
  });

  it('sends nothing in clear for an issuer with TLS', async () => {
    const issuer = 'https://acme-dev.example/';
    const fetch = async () =>
      new Response(JSON.stringify({ issuer, introspection_endpoint: 'http://acme-dev.example/introspect' }));
    const verify = byIntrospection({ issuer, audience: AUDIENCE, clientId: 'a', clientSecret: 'b', fetch });
    await expect(verify('at', NEVER)).rejects.toThrow(/without encryption/);
  });
});
