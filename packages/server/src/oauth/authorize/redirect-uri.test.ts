import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventsOf, eventTypesOf, type TestClient } from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import { askAuthorize, redirectedTo } from '../../../test/web-authorization.ts';
import { startWorld, type World } from '../../../test/world.ts';

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

let world: World;
let web: TestClient;
let production: World;
beforeAll(async () => {
  [world, production] = await Promise.all([startWorld(), startWorld({ environment: 'production' })]);
  web = await createTestClient(world, {
    app_type: 'regular_web',
    callbacks: [
      'https://app.example.com/callback',
      'https://*.wild.example.com/callback',
      'https://app.example.com/query?tenant=1',
      'com.example.app://callback',
    ],
    grant_types: ['authorization_code'],
  });
});
afterAll(() => Promise.all([world.stop(), production.stop()]));

const ask = (parameters: Record<string, string>, extra?: string) => askAuthorize(world, web, parameters, extra);

const countTransactions = async () =>
  (await world.database.pool.query('select count(*) from login_transactions')).rows[0].count;

describe('redirect_uri at /authorize', () => {
  it.each([
    ['a prefix', 'https://app.example.com/call'],
    ['a suffix', 'https://app.example.com/callback/../evil'],
    ['a longer path', 'https://app.example.com/callbackevil'],
    ['a longer host', 'https://app.example.com.evil.com/callback'],
    ['user info', 'https://app.example.com@evil.com/callback'],
    ['user info before the host', 'https://evil@app.example.com/callback'],
    ['a backslash', 'https://app.example.com\\@evil.com/callback'],
    ['a backslash for a slash', 'https:\\\\app.example.com/callback'],
    ['double encoding', 'https://app.example.com/%2563allback'],
    ['encoding', 'https://app.example.com/%63allback'],
    ['dots', 'https://app.example.com/x/../callback'],
    ['a fragment', 'https://app.example.com/callback#x'],
    ['a query that is not registered', 'https://app.example.com/callback?x=1'],
    ['another query', 'https://app.example.com/query?tenant=2'],
    ['a port', 'https://app.example.com:444/callback'],
    ['the default port', 'https://app.example.com:443/callback'],
    ['upper case in the path', 'https://app.example.com/Callback'],
    ['upper case in the host', 'https://APP.example.com/callback'],
    ['upper case in the scheme', 'HTTPS://app.example.com/callback'],
    ['http', 'http://app.example.com/callback'],
    ['a homograph', 'https://аpp.example.com/callback'],
    ['no scheme', '//app.example.com/callback'],
    ['a relative path', '/callback'],
    ['javascript:', 'javascript:alert(1)//https://app.example.com/callback'],
    ['data:', 'data:text/html,<script>alert(1)</script>'],
    ['a trailing blank', 'https://app.example.com/callback '],
    ['a line break', 'https://app.example.com/callback\r\nset-cookie: x=1'],
    ['a tab within', 'https://app.exa\tmple.com/callback'],
    ['a NUL', 'https://app.example.com/callback\0'],
    ['the wildcard without a dot', 'https://evilwild.example.com/callback'],
    ['the wildcard bare', 'https://wild.example.com/callback'],
    ['the wildcard over two labels', 'https://a.b.wild.example.com/callback'],
    ['the wildcard itself', 'https://*.wild.example.com/callback'],
    ['a slash in the wildcard', 'https://evil.com/.wild.example.com/callback'],
    ['user info in the wildcard', 'https://evil@.wild.example.com/callback'],
    ['a query in the wildcard', 'https://evil.com?.wild.example.com/callback'],
    ['localhost', 'http://localhost:5555/callback'],
    ['another custom scheme', 'com.example.app.evil://callback'],
  ])('is refused on a page, and never followed, with %s', async (_what, redirect_uri) => {
    const before = await countTransactions();
    const [event, ...others] = await eventsOf(world, async () => {
      const response = await ask({ redirect_uri });
      expect([400, 403]).toContain(response.statusCode);
      expect(response.headers).not.toHaveProperty('location');
      expect(response.headers).not.toHaveProperty('set-cookie');
      expect(response.headers['content-type']).toContain('text/html');
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'f', client_id: web.client_id });
    expect(await countTransactions()).toBe(before);
  });

  it.each([
    'http://localhost.evil.com:80/callback',
    'http://localhost:80@evil.com/callback',
    'http://localhost:99999/callback',
    'https://localhost:5555/callback',
    'http://LOCALHOST:5555/callback',
    'http://127.0.0.1:5555/callback',
    'http://localhost:*',
    'http://localhost:*/callback',
    'http://evil.localhost:5555/callback',
  ])('is refused for the entry http://localhost:* with %s', async (redirect_uri) => {
    const response = await ask({ client_id: world.spa_client.client_id, redirect_uri, code_challenge: CHALLENGE });
    expect(response.statusCode).toBe(403);
  });

  it.each(['redirect_uri', 'client_id'])('is refused where %s comes twice', async (name) => {
    const types = await eventTypesOf(world, async () => {
      const response = await ask({}, `&${name}=${encodeURIComponent('https://evil.example.com/')}`);
      expect(response.statusCode).toBe(400);
      expect(response.headers).not.toHaveProperty('location');
    });
    expect(types).toEqual(['f']);
  });

  it('tells the mismatch on the page and in the event, as fsa where the login was silent', async () => {
    const url = 'https://evil.example.com/<script>';
    const [event] = await eventsOf(world, async () => {
      const { body } = await ask({ redirect_uri: url, prompt: 'none' });
      expect(body).toContain('Callback URL mismatch.');
      expect(body).toContain('https://evil.example.com/&lt;script&gt;');
    });
    expect(event).toMatchObject({
      type: 'fsa',
      description: `Callback URL mismatch. ${url} is not in the list of allowed callback URLs`,
      details: { error: { type: 'callback-url-mismatch' } },
    });
  });

  it.each([
    ['to the letter', 'https://app.example.com/callback'],
    ['with its query', 'https://app.example.com/query?tenant=1'],
    ['by the wildcard', 'https://a-1.wild.example.com/callback'],
    ['of a custom scheme', 'com.example.app://callback'],
  ])('is accepted %s, and keeps what it has', async (_what, redirect_uri) => {
    const parameters = redirectedTo(await ask({ redirect_uri, prompt: 'none' }), redirect_uri);
    expect(parameters).toMatchObject({ error: 'login_required', state: 'st&te=1 ü' });
  });

  it('is the first registered one where the request names none', async () => {
    expect(redirectedTo(await ask({ redirect_uri: '', prompt: 'none' }))).toMatchObject({ error: 'login_required' });
  });

  it('of any localhost port is refused in a production tenant', async () => {
    const response = await production.api().post('/clients', { name: 'x', callbacks: ['http://localhost:*'] });
    expect(response.statusCode).toBe(400);
    const client = await createTestClient(production, { callbacks: ['https://app.example.com/'] });
    await production.database.pool.query(
      `update clients set body = jsonb_set(body, '{callbacks}', '["http://localhost:*"]') where client_id = $1`,
      [client.client_id],
    );
    const query = new URLSearchParams({ response_type: 'code', client_id: client.client_id, redirect_uri: CALLBACK });
    expect((await production.request({ path: `/authorize?${query}` })).statusCode).toBe(403);
  });
});
