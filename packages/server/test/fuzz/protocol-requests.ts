import fc from 'fast-check';
import { evilJson, evilJwt, evilText } from './hostile-values.ts';
import { GRANTS, PROPER } from './proper-values.ts';

/** What a request is made of before the live values are put in: `{code}` is a fresh code, and so on. */
export interface DraftRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly pairs: readonly Pair[];
  readonly as: 'query' | 'form' | 'json' | 'json values' | 'bytes';
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the cookies of a browser that is logged in come along. */
  readonly isLoggedIn: boolean;
}

export interface Pair {
  readonly name: string;
  readonly value: string;
  /** Sent as it is, without encoding. */
  readonly isRaw: boolean;
}

const NAMES = Object.keys(PROPER);

export interface Endpoint {
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST')[];
  /** Parameters that most requests have. */
  readonly usual: readonly string[];
  readonly grant?: string;
}

const AUTHORIZATION = ['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce'];

export const AUTHORIZE: readonly Endpoint[] = [
  { path: '/authorize', methods: ['GET', 'GET', 'POST'], usual: AUTHORIZATION },
];

const BY_SECRET = ['client_id', 'client_secret'];
const JWT_BEARER = ['client_id', 'client_assertion', 'client_assertion_type', 'audience'];

/** What a grant needs besides its name. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  authorization_code: [...BY_SECRET, 'code', 'redirect_uri'],
  refresh_token: [...BY_SECRET, 'refresh_token'],
  client_credentials: JWT_BEARER,
  password: [...BY_SECRET, 'username', 'password', 'audience'],
  'urn:ietf:params:oauth:grant-type:device_code': [...BY_SECRET, 'device_code'],
  'urn:ietf:params:oauth:grant-type:token-exchange': [...BY_SECRET, 'subject_token', 'subject_token_type', 'audience'],
};

export const TOKEN: readonly Endpoint[] = GRANTS.map((grant) => ({
  path: '/oauth/token',
  methods: ['POST'],
  usual: ['grant_type', ...(NEEDS[grant] ?? BY_SECRET)],
  grant,
}));

export const OTHERS: readonly Endpoint[] = [
  { path: '/oauth/par', methods: ['POST'], usual: ['client_id', 'client_secret', ...AUTHORIZATION.slice(1)] },
  { path: '/oauth/device/code', methods: ['POST'], usual: ['client_id', 'scope', 'audience'] },
  { path: '/oauth/introspect', methods: ['POST'], usual: ['client_id', 'client_secret', 'token'] },
  { path: '/oauth/revoke', methods: ['POST'], usual: ['client_id', 'client_secret', 'token'] },
  {
    path: '/co/authenticate',
    methods: ['POST'],
    usual: ['client_id', 'username', 'password', 'realm', 'credential_type'],
  },
  { path: '/usernamepassword/login', methods: ['POST'], usual: ['client_id', 'username', 'connection'] },
  { path: '/login/callback', methods: ['POST'], usual: ['wa', 'wresult', 'wctx'] },
  { path: '/user/ssodata', methods: ['GET'], usual: ['client_id'] },
  {
    path: '/dbconnections/signup',
    methods: ['POST'],
    usual: ['client_id', 'email', 'password', 'connection', 'user_metadata'],
  },
  { path: '/dbconnections/change_password', methods: ['POST'], usual: ['client_id', 'email', 'connection'] },
  { path: '/authorize/resume', methods: ['GET'], usual: ['state'] },
  { path: '/continue', methods: ['GET', 'POST'], usual: ['state'] },
  { path: '/u/login', methods: ['GET', 'POST'], usual: ['state', '_csrf', 'username', 'password'] },
  { path: '/u/signup', methods: ['GET', 'POST'], usual: ['state', '_csrf', 'email', 'password'] },
  { path: '/u/consent', methods: ['GET', 'POST'], usual: ['state', '_csrf', 'action'] },
  { path: '/u/login-select-account', methods: ['GET', 'POST'], usual: ['state', '_csrf', 'action'] },
  { path: '/u/reset-password/request', methods: ['GET', 'POST'], usual: ['state', '_csrf', 'email'] },
  { path: '/u/reset-password/change', methods: ['GET', 'POST'], usual: ['ticket', '_csrf'] },
  { path: '/u/reset-verify', methods: ['GET'], usual: ['ticket'] },
  { path: '/u/email-verification', methods: ['GET'], usual: ['ticket'] },
  { path: '/activate', methods: ['GET', 'POST'], usual: ['user_code', 'state', '_csrf'] },
  { path: '/activate/confirm', methods: ['POST'], usual: ['user_code', 'state', '_csrf', 'action'] },
  { path: '/v2/logout', methods: ['GET'], usual: ['client_id', 'returnTo'] },
  { path: '/oidc/logout', methods: ['GET', 'POST'], usual: ['id_token_hint', 'post_logout_redirect_uri', 'state'] },
  { path: '/u/logout', methods: ['POST'], usual: ['id_token_hint', 'action', '_csrf'] },
  { path: '/userinfo', methods: ['GET', 'POST'], usual: ['access_token'] },
  { path: '/tokeninfo', methods: ['GET', 'POST'], usual: ['id_token'] },
  { path: '/oauth/ro', methods: ['POST'], usual: ['client_id', 'username', 'connection'] },
  { path: '/delegation', methods: ['POST'], usual: ['client_id', 'id_token'] },
];

/** A request to one of these endpoints: mostly what it expects, with hostile values, names, repetitions and headers among it. */
export function requestTo(endpoints: readonly Endpoint[]): fc.Arbitrary<DraftRequest> {
  return fc.constantFrom(...endpoints).chain(({ path, methods, usual, grant }) =>
    fc.constantFrom(...methods).chain((method) =>
      fc.record({
        method: fc.constant(method),
        path: fc.constant(path),
        pairs: fc
          .tuple(
            fc.tuple(
              ...usual.map((name) =>
                fc.option(pairOf(name, 20, name === 'grant_type' ? grant : undefined), { nil: undefined, freq: 25 }),
              ),
            ),
            fc.oneof(fc.constant<Pair[]>([]), fc.array(anyPair, { maxLength: 4 })),
          )
          .map(([expected, others]) => [...expected.filter((pair) => pair !== undefined), ...others]),
        as:
          method === 'GET'
            ? fc.constant('query' as const)
            : fc.constantFrom('form', 'form', 'form', 'json', 'json', 'json values', 'bytes', 'query'),
        json: evilJson,
        headers,
        isLoggedIn: fc.boolean(),
      }),
    ),
  );
}

function pairOf(name: string, properTimes: number, only?: string): fc.Arbitrary<Pair> {
  const proper = only === undefined ? (PROPER[name] ?? []) : [only];
  return fc
    .oneof(
      {
        weight: proper.length > 0 ? properTimes : 0,
        arbitrary: fc.constantFrom(...(proper.length > 0 ? proper : [''])),
      },
      { weight: 1, arbitrary: evilText },
      { weight: JWTS.has(name) ? 6 : 0, arbitrary: evilJwt },
    )
    .map((value) => ({ name, value, isRaw: false }));
}

const JWTS = new Set([
  'request',
  'id_token_hint',
  'client_assertion',
  'subject_token',
  'token',
  'id_token',
  'access_token',
]);

const anyPair: fc.Arbitrary<Pair> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NAMES).chain((name) => pairOf(name, 2)) },
  { weight: 1, arbitrary: fc.record({ name: evilText, value: evilText, isRaw: fc.constant(false) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      name: fc.constantFrom('scope', 'state', 'client_id', '%73cope', '%ff', 'a[]', 'a[b]', ''),
      value: fc.constantFrom('%ff%fe', '%', '%zz', '%00', '+', '=', '%F0%9F%98', 'a=b=c', '%250d%250a'),
      isRaw: fc.constant(true),
    }),
  },
);

/** Latin-1 without control characters: what an HTTP server lets through to us. */
const headerText = fc
  .oneof(evilText, evilJwt)
  .map((text) => text.replace(/[^\x20-\x7e\x80-\xff]/g, '').slice(0, 8_000));

const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        dpop: headerText,
        authorization: fc.oneof(
          headerText,
          headerText.map((text) => `Basic ${Buffer.from(text).toString('base64')}`),
          headerText.map((text) => `Bearer ${text}`),
          fc.constantFrom('Bearer {access}', 'DPoP {access}', 'Basic', 'Bearer', 'Digest x="y"'),
        ),
        'client-certificate': fc.oneof(headerText, fc.constantFrom(':AAAA:', '-----BEGIN%20CERTIFICATE-----')),
        origin: fc.constantFrom('null', 'https://evil.example', 'http://localhost:5555', 'x', 'file://'),
        'accept-language': headerText,
        'user-agent': headerText,
        'auth0-forwarded-for': headerText,
        'x-forwarded-for': headerText,
        'auth0-client': headerText,
        cookie: headerText,
      },
      { requiredKeys: [] },
    ),
  },
);
