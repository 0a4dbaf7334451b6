import fc from 'fast-check';

/** Texts that have broken others: injections, encodings, markup, text that PostgreSQL can't keep. */
const KNOWN_EVILS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\r\nset-cookie: fuzz=1',
  '\u2028\u202e\ufeff\uffff',
  '\ud800',
  '\udc00x',
  '😀'.repeat(50),
  "'; drop table users; --",
  '" or ""="',
  '$1',
  '%',
  '%00',
  '%zz',
  '%C0%AF',
  '%2500',
  '../../etc/passwd',
  '<script>fuzz(1)</script>',
  '"><img src=x onerror=fuzz(1)>',
  'javascript:fuzz(1)',
  'data:text/html,<script>fuzz(1)</script>',
  '{{7*7}}{%- for i in (1..100000) -%}x{%- endfor -%}',
  '#{7*7}',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
  '-1',
  '0',
  '1e309',
  '99999999999999999999',
  '2147483648',
  '9223372036854775808',
  '0x7f000001',
  '[]',
  '{}',
  '[[[[[[[[[[',
  'http://169.254.169.254/latest/meta-data/',
  'http://localhost:5555@evil.example/callback',
  'http://localhost:5555/callback#fragment',
  'http://localhost:5555/callback/../evil',
  'http://LOCALHOST:5555/callback',
  '//evil.example/callback',
  'https://evil.example\\@localhost:5555/callback',
  'urn:ietf:params:oauth:request_uri:x',
  'urn:ietf:params:oauth:token-type:jwt',
  `${'a OR '.repeat(100)}a`,
  'openid profile email offline_access',
  'openid '.repeat(300),
];

const longText = fc
  .tuple(fc.constantFrom('a', 'é', '😀', '%', ' ', '<', '"', '\\'), fc.constantFrom(255, 256, 1_025, 8_193, 20_000))
  .map(([unit, length]) => unit.repeat(length));

/** A text that nobody should send. */
export const evilText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KNOWN_EVILS) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 1, arbitrary: longText },
);

/** Any JSON, with the members, depths and sizes that nobody means. */
export const evilJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: evilText },
  {
    weight: 2,
    arbitrary: fc.constantFrom(null, true, false, 0, -1, 1.5, 1e300, -0, 2 ** 53, 2 ** 31, [], {}, [[]], [null]),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(evilText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }).map(ownMembers) },
  { weight: 1, arbitrary: fc.constantFrom(5, 99, 101, 2_000).map(nested) },
  {
    weight: 1,
    arbitrary: fc.tuple(evilText, fc.constantFrom(2, 101, 1_001)).map(([item, length]) => Array(length).fill(item)),
  },
);

/** Something that looks like a JWT; whole parts of it may be what they should be. */
export const evilJwt: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      fc.record(
        {
          alg: fc.constantFrom<unknown>('none', 'HS256', 'RS256', 'ES256', 'NONE', 'PS256', 'RSA-OAEP', 'dir', null, 7),
          typ: fc.constantFrom<unknown>('JWT', 'at+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'logout+jwt', {}, null),
          kid: fc.oneof(evilText, fc.constantFrom<unknown>('../../../dev/null', {}, 1)),
          jku: fc.constant('http://169.254.169.254/jwks.json'),
          x5u: fc.constant('file:///etc/passwd'),
          jwk: fc.oneof(
            evilJson,
            fc.constant({ kty: 'oct', k: 'AAAA' }),
            fc.constant({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }),
          ),
          crit: fc.constantFrom<unknown>(['exp'], [], 'b64', ['b64']),
          b64: fc.constant(false),
        },
        { requiredKeys: [] },
      ),
      evilJson,
    ),
    fc.oneof(
      fc.record(
        {
          iss: fc.oneof(evilText, fc.constant('https://localhost:3443/')),
          aud: fc.oneof(
            evilText,
            fc.constantFrom<unknown>('https://localhost:3443/', ['https://localhost:3443/'], [], [1], {}),
          ),
          sub: evilJson,
          exp: fc.constantFrom<unknown>(0, -1, 1e300, 9_999_999_999, '9999999999', null, 1.5),
          iat: fc.constantFrom<unknown>(0, 1e300, 'now', null),
          jti: evilJson,
          htm: fc.constantFrom<unknown>('POST', 1),
          htu: fc.oneof(evilText, fc.constant('https://localhost:3443/oauth/token')),
          nonce: evilJson,
          client_id: evilJson,
          redirect_uri: evilJson,
        },
        { requiredKeys: [] },
      ),
      evilJson,
    ),
    fc.oneof(fc.constant(''), fc.constant('AAAA'), fc.base64String({ maxLength: 64 }), evilText),
    fc.constantFrom('.', '.', '.', '..', ''),
  )
  .map(([header, claims, signature, dot]) => [encoded(header), encoded(claims), signature].join(dot));

function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part) ?? '').toString('base64url');
}

function nested(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
}

/** `__proto__` as a member of its own, as JSON.parse makes it. */
function ownMembers(members: Readonly<Record<string, unknown>>): unknown {
  const { ['__proto__']: _none, ...others } = members;
  return Object.hasOwn(members, '__proto__') ? JSON.parse(`{"__proto__":{"isAdmin":true}}`) : others;
}
