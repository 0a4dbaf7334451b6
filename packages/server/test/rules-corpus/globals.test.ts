import { describe, expect, it } from 'vitest';
import { MODULE_STORE } from '../../src/containers/module-folders.ts';
import { startContainers } from '../containers/harness.ts';
import { corpusJob, type Given } from './corpus.ts';

const { execute } = startContainers({ moduleStore: MODULE_STORE });
const NAMESPACE = 'https://example.com/';

/** `[rule of this folder, what it gets, what comes out]`. */
const CASES: readonly (readonly [string, Given, object])[] = [
  [
    'lodash-roles',
    {},
    { context: { idToken: { [`${NAMESPACE}providers`]: ['auth0'], [`${NAMESPACE}version`]: '2.4.1' } } },
  ],
  ['async-waterfall', {}, { context: { accessToken: { [`${NAMESPACE}scores`]: [42, 84] } } }],
  [
    'jwt-hs256',
    { configuration: { JWT_SECRET: 'a secret' } },
    { user: { token: { sub: 'auth0|ada', life: 300, scope: 'delegated' } } },
  ],
  ['jwt-rs256', {}, { user: { seen: ['admin', 'admin', 'admin', 'JsonWebTokenError', true] } }],
  [
    'crypto-latin1',
    {},
    {
      user: {
        opened: 'ada@example.com',
        sealed: expect.stringMatching(/^[0-9a-f]{32}$/),
        old: '6b8f36b4e47211e842e897e323fb8fed589d804eff73289c18e2134e56f310ef',
        oldOpened: 'some clear text data',
        hash: '3e3417d7ef77d5932a6734b916515ed5',
      },
    },
  ],
  ['bcrypt-hash', {}, { user: { isValid: true, isOther: false } }],
  ['pbkdf2-verify', {}, { user: { seen: [true, false, true, 256, '200'] } }],
  [
    'ids-and-queries',
    {},
    { user: { seen: { ids: [36, 36, 36, true], query: 'a=1&b=x%20y', parsed: 'two', merged: { a: 1, b: 2 } } } },
  ],
  ['promises-q', {}, { user: { list: [1, 2, 3] } }],
  ['xml-documents', {}, { user: { mail: 'ada@example.com', again: 'ada@example.com', id: '7' } }],
  ['address-ranges', {}, { user: { seen: [true, false, true, true, false, false], kind: 'ipv4' } }],
  ['moments', {}, { user: { seen: ['2024-07-01 14:00 CEST', 'Monday', '2 hours'] } }],
  ['implicit-global', {}, { user: { seen: ['function', 42] } }],
  ['new-buffer', {}, { user: { basic: 'Basic YWRhQGV4YW1wbGUuY29tOng=', more: [3, 2, 3, true] } }],
  [
    'database-clients',
    {},
    {
      user: {
        seen: {
          mysql: ['function', 'db.example.com', 'function', 'function'],
          mongo: ['function', 'function', '507f1f77bcf86cd799439011', 'function'],
          postgres: ['function', 'function', 'function', 'function'],
          sqlserver: ['function', 'function', 'VarChar'],
        },
      },
    },
  ],
  [
    'error-classes',
    {},
    {
      user: {
        seen: [
          ['UnauthorizedError', 'unauthorized', 'no', 'no', 401, true, true],
          ['AuthorizationError', 'code_a', 'no', 'no', 401, true, true],
          ['ValidationError', 'user_exists', 'taken', 'taken', 400, true, true],
          ['WrongUsernameOrPasswordError', 'invalid_user_password', 'wrong', 'wrong', 401, true, true],
          ['ApplicationError', 'code_b', 'down', 'down', 500, true, true],
          ['UnauthorizedError', 'unauthorized', 'without new', 'without new', 401, true, true],
        ],
        chain: [true, true, false, 'ada', true],
      },
    },
  ],
  [
    'not-there',
    {},
    {
      user: {
        seen: Array.from({ length: 6 }, () => expect.stringMatching(/^The global \w+ is not available here\. Use /)),
        couchbase: 'The global couchbase is not available here. Use an HTTP request.',
      },
    },
  ],
];

describe('globals of a rule', () => {
  it.each(CASES)('%s', async (name, given, result) => {
    const outcome = await execute(corpusJob(name, given));
    expect(outcome).toMatchObject({ ok: true, result, warnings: [] });
  });

  it('a refusal reaches the pipeline with its code and its words', async () => {
    const outcome = await execute(corpusJob('unauthorized'));
    expect(outcome).toMatchObject({
      ok: false,
      failure: {
        kind: 'threw',
        part: { id: 'rul_unauthorized', name: 'unauthorized' },
        error: {
          name: 'UnauthorizedError',
          code: 'unauthorized',
          message: 'Please verify your email before logging in.',
          description: 'Please verify your email before logging in.',
          statusCode: 401,
        },
      },
    });
    expect(await execute(corpusJob('unauthorized', { user: { email_verified: true } }))).toMatchObject({ ok: true });
  });

  it('a wrong password names the user for the log', async () => {
    expect(await execute(corpusJob('wrong-password'))).toMatchObject({
      ok: false,
      failure: { error: { name: 'WrongUsernameOrPasswordError', userId: 'auth0|ada', message: 'Wrong!' } },
    });
  });

  it('a callback called twice counts once', async () => {
    expect(await execute(corpusJob('callback-twice'))).toMatchObject({ ok: true, result: { user: { first: true } } });
  });

  it('a redirect carries a session token, and the way back is checked', async () => {
    const configuration = { SESSION_TOKEN_SECRET: 'a long secret', TERMS_URL: 'https://terms.example.com/' };
    const first = await execute(corpusJob('redirect-once', { configuration }));
    const url = new URL(String(Reflect.get(Object(first), 'result').context.redirect.url));
    expect(url.origin).toBe('https://terms.example.com');
    const back = (query: object) =>
      execute(
        corpusJob('redirect-once', {
          configuration,
          context: { protocol: 'redirect-callback', request: { ip: '10.1.2.3', hostname: 'login.example.com', query } },
        }),
      );
    expect(await back({ session_token: url.searchParams.get('session_token') })).toMatchObject({ ok: true });
    expect(await back({ session_token: 'forged' })).toMatchObject({
      ok: false,
      failure: { error: { code: 'unauthorized' } },
    });
  });
});

describe('what two logins at once see', () => {
  it('is their own configuration and their own token, however long they wait', async () => {
    const own = (key: string, wait: string): Given => ({
      configuration: { KEY: key, WAIT: wait },
      auth0: { domain: 'login.example.com', accessToken: `token of ${key}` },
    });
    const outcomes = await Promise.all([
      execute(corpusJob('settings', own('first', '60'))),
      execute(corpusJob('settings', own('second', '0'))),
      execute(corpusJob('settings', own('third', '30'))),
    ]);
    expect(outcomes).toMatchObject(
      ['first', 'second', 'third'].map((key) => ({
        ok: true,
        result: { user: { key, keys: ['KEY', 'WAIT'], id: `token of ${key}` } },
      })),
    );
  });

  it('a login without a token has no auth0', async () => {
    expect(await execute(corpusJob('settings', { configuration: { KEY: 'x' } }))).toMatchObject({
      ok: false,
      failure: { error: { name: 'TypeError' } },
    });
  });

  it('global is shared, under all of its names', async () => {
    const { execute: alone } = startContainersOfOne;
    expect(await alone(corpusJob('counter'))).toMatchObject({ ok: true, result: { user: { count: 1, same: true } } });
    expect(await alone(corpusJob('counter'))).toMatchObject({ ok: true, result: { user: { count: 2, same: true } } });
  });
});

const startContainersOfOne = startContainers({ moduleStore: MODULE_STORE, limits: { containersPerPool: 1 } });
