import { describe, expect, it } from 'vitest';
import { type MatchRules, matchesUrl } from './callback-match.ts';

const RULES: MatchRules = { wildcards: true, localhostAny: true };
const CALLBACK = 'https://app.example.com/callback';

describe('a registered URL', () => {
  it('is accepted exactly as it was registered', () => {
    expect(matchesUrl([CALLBACK], CALLBACK, RULES)).toBe(true);
    expect(matchesUrl(['com.example.app://login'], 'com.example.app://login', RULES)).toBe(true);
  });

  it.each([
    ['a prefix of it', 'https://app.example.com/call'],
    ['a longer path', 'https://app.example.com/callback/more'],
    ['a longer host', 'https://app.example.com.evil.com/callback'],
    ['another host before @', 'https://app.example.com@evil.com/callback'],
    ['its host before @', 'https://evil.com@app.example.com/callback'],
    ['a backslash', 'https://app.example.com\\callback'],
    ['a backslash before @', 'https://evil.com\\@app.example.com/callback'],
    ['an encoded slash', 'https://app.example.com%2Fcallback'],
    ['a double encoded slash', 'https://app.example.com%252Fcallback'],
    ['an encoded letter', 'https://app.example.com/%63allback'],
    ['dot segments', 'https://app.example.com/x/../callback'],
    ['encoded dot segments', 'https://app.example.com/x/%2e%2e/callback'],
    ['a fragment', 'https://app.example.com/callback#x'],
    ['an empty fragment', 'https://app.example.com/callback#'],
    ['a query', 'https://app.example.com/callback?next=evil'],
    ['an empty query', 'https://app.example.com/callback?'],
    ['the default port', 'https://app.example.com:443/callback'],
    ['another port', 'https://app.example.com:8443/callback'],
    ['another scheme', 'http://app.example.com/callback'],
    ['an upper-case host', 'https://APP.example.com/callback'],
    ['an upper-case path', 'https://app.example.com/Callback'],
    ['an upper-case scheme', 'HTTPS://app.example.com/callback'],
    ['a trailing slash', 'https://app.example.com/callback/'],
    ['a trailing dot', 'https://app.example.com./callback'],
    ['a look-alike letter', 'https://аpp.example.com/callback'],
    ['a full-width dot', 'https://app。example.com/callback'],
    ['no scheme', '//app.example.com/callback'],
    ['one slash', 'https:/app.example.com/callback'],
    ['a leading blank', ' https://app.example.com/callback'],
    ['a trailing newline', 'https://app.example.com/callback\n'],
    ['a tab within', 'https://app.exam\tple.com/callback'],
    ['a zero-width space', 'https://app.example.com/\u200bcallback'],
    ['a NUL', 'https://app.example.com/callback\0'],
    ['script', 'javascript:alert(1)'],
    ['script with the host in a comment', 'javascript://app.example.com/callback%0aalert(1)'],
    ['data', 'data:text/html,x'],
    ['nothing', ''],
    ['an endless URL', `${CALLBACK}${'a'.repeat(5_000)}`],
  ])('refuses %s', (_what, given) => {
    expect(matchesUrl([CALLBACK], given, RULES)).toBe(false);
  });

  it.each(['http://localhost:3000/\u00e9', 'http://localhost:3000/?a=\u{1f600}', 'http://localhost/\u65e5'])(
    'that is any address of localhost is none that no Location header can carry: %s',
    (given) => {
      expect(matchesUrl(['http://localhost:*'], given, RULES)).toBe(false);
      expect(matchesUrl([given], given, RULES)).toBe(false);
    },
  );

  it('never runs script, even if someone managed to register it', () => {
    expect(matchesUrl(['javascript:alert(1)'], 'javascript:alert(1)', RULES)).toBe(false);
    expect(matchesUrl(['JavaScript:x'], 'JavaScript:x', RULES)).toBe(false);
  });

  it('with an organization placeholder matches no literal brace', () => {
    const entry = 'https://{organization_name}.example.com/cb';
    expect(matchesUrl([entry], entry, RULES)).toBe(false);
  });
});

describe('a wildcard', () => {
  const cases: [entry: string, given: string, expected: boolean][] = [
    ['https://*.example.com/cb', 'https://a.example.com/cb', true],
    ['https://*.example.com', 'https://a.example.com', true],
    ['https://*.example.com:8443/cb', 'https://a.example.com:8443/cb', true],
    ['https://pr-*.example.com/cb', 'https://pr-12.example.com/cb', true],
    ['https://pr-*-web.example.com/cb', 'https://pr-12-web.example.com/cb', true],
    ['https://*.example.com/cb', 'https://evilexample.com/cb', false],
    ['https://*.example.com/cb', 'https://example.com/cb', false],
    ['https://*.example.com/cb', 'https://.example.com/cb', false],
    ['https://*.example.com/cb', 'https://a.b.example.com/cb', false],
    ['https://*.example.com/cb', 'http://a.example.com/cb', false],
    ['https://*.example.com/cb', 'https://a.example.com:444/cb', false],
    ['https://*.example.com/cb', 'https://a.example.com/cb/../x', false],
    ['https://*.example.com/cb', 'https://a.example.com/other', false],
    ['https://*.example.com/cb', 'https://evil.com/.example.com/cb', false],
    ['https://*.example.com/cb', 'https://evil.com?.example.com/cb', false],
    ['https://*.example.com/cb', 'https://evil.com#.example.com/cb', false],
    ['https://*.example.com/cb', 'https://evil.com@a.example.com/cb', false],
    ['https://*.example.com/cb', 'https://evil.com%2f.example.com/cb', false],
    ['https://*.example.com/cb', 'https://a%00.example.com/cb', false],
    ['https://*.example.com/cb', 'https://-a.example.com/cb', false],
    ['https://*.example.com/cb', 'https://*.example.com/cb', false],
    ['https://*.example.com/cb', `https://${'a'.repeat(64)}.example.com/cb`, false],
    ['https://pr-*.example.com/cb', 'https://pr-.example.com/cb', false],
    ['https://*.com/cb', 'https://evil.com/cb', false],
    ['https://*/cb', 'https://evil.com/cb', false],
    ['https://a.*.example.com/cb', 'https://a.b.example.com/cb', false],
    ['https://*.*.example.com/cb', 'https://a.b.example.com/cb', false],
    ['https://example.com/*', 'https://example.com/cb', false],
    ['com.app://*.example.com/cb', 'com.app://a.example.com/cb', false],
    ['*', 'https://evil.com', false],
  ];

  it.each(cases)('%s and %s: %s', (entry, given, expected) => {
    expect(matchesUrl([entry], given, RULES)).toBe(expected);
  });

  it('matches nothing where wildcards are off', () => {
    expect(matchesUrl(['https://*.example.com/cb'], 'https://a.example.com/cb', { ...RULES, wildcards: false })).toBe(
      false,
    );
  });
});

describe('the entry http://localhost:*', () => {
  it.each([
    ['http://localhost:3000/callback', true],
    ['http://localhost', true],
    ['http://localhost/', true],
    ['http://localhost:8080', true],
    ['http://localhost:3000/cb?x=1', true],
    ['http://localhost:65535/', true],
    ['https://localhost:3000/callback', false],
    ['http://localhost.evil.com/callback', false],
    ['http://localhost:80@evil.com/', false],
    ['http://localhost:80@evil', false],
    ['http://localhost@evil.com/', false],
    ['http://user@localhost/', false],
    ['http://localhost:80\\@evil.com', false],
    ['http://localhost:/x', false],
    ['http://localhost:0/x', false],
    ['http://localhost:65536/x', false],
    ['http://localhost:123456/x', false],
    ['http://localhost:*', false],
    ['http://localhost:80a/x', false],
    ['http://LOCALHOST:3000/x', false],
    ['http://localhost./x', false],
    ['http://localhost%2eevil.com/', false],
    ['http://127.0.0.1:3000/x', false],
    ['http://[::1]:3000/x', false],
    ['http://notlocalhost:3000/x', false],
    ['http://app.localhost:3000/x', false],
    ['http://localhost:3000/x#y', false],
    ['http://localhost#@evil.com', false],
  ])('%s: %s', (given, expected) => {
    expect(matchesUrl(['http://localhost:*'], given, RULES)).toBe(expected);
  });

  it('matches nothing in a production tenant', () => {
    const rules = { ...RULES, localhostAny: false };
    expect(matchesUrl(['http://localhost:*'], 'http://localhost:3000/callback', rules)).toBe(false);
  });
});

describe('a loopback address of a native application (RFC 8252 section 7.3)', () => {
  const native = { ...RULES, loopbackPort: true };

  it.each([
    ['http://127.0.0.1/cb', 'http://127.0.0.1:51004/cb', true],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.1:51004/cb', true],
    ['http://[::1]/cb', 'http://[::1]:51004/cb', true],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:51004/other', false],
    ['http://127.0.0.1/cb', 'http://[::1]:51004/cb', false],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:51004@evil.com/cb', false],
    ['http://127.0.0.1/cb', 'http://127.0.0.2:51004/cb', false],
    ['http://127.0.0.1/cb', 'https://127.0.0.1:51004/cb', false],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:99999/cb', false],
    ['http://localhost/cb', 'http://localhost:51004/cb', false],
    ['http://app.example.com/cb', 'http://app.example.com:81/cb', false],
  ])('registered %s, asked for %s: %s', (entry, given, expected) => {
    expect(matchesUrl([entry], given, native)).toBe(expected);
  });

  it('keeps its port for other applications', () => {
    expect(matchesUrl(['http://127.0.0.1/cb'], 'http://127.0.0.1:51004/cb', RULES)).toBe(false);
  });
});

describe('a logout URL', () => {
  const logout = { ...RULES, ignoreQuery: true };

  it('is compared without its query and fragment', () => {
    expect(matchesUrl(['https://app.example.com/bye'], 'https://app.example.com/bye?a=1#b', logout)).toBe(true);
    expect(matchesUrl(['https://app.example.com/bye'], 'https://app.example.com/bye/x?a=1', logout)).toBe(false);
    expect(matchesUrl(['https://app.example.com'], 'https://app.example.com@evil.com?a', logout)).toBe(false);
    expect(matchesUrl(['https://*.example.com'], 'https://evil.com?.example.com', logout)).toBe(false);
  });
});
