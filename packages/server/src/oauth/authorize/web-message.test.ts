import { runInNewContext } from 'node:vm';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventTypesOf, type TestClient } from '../../../test/protocol.ts';
import type { Visitor } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

const CALLBACK = 'https://app.example.com/callback';

let world: World;
let app: TestClient;
let browser: Visitor;
beforeAll(async () => {
  world = await startWorld();
  app = await createTestClient(world, {
    app_type: 'spa',
    grant_types: ['authorization_code', 'implicit'],
    callbacks: [
      CALLBACK,
      'https://other.example.com/callback',
      'https://pr-7.wild.example.com/callback',
      'com.app://x',
    ],
    web_origins: ['https://app.example.com', 'https://*.wild.example.com'],
  });
  browser = world.visitor();
  await browser.logIn();
});
afterAll(() => world.stop());

const ask = async (parameters: Record<string, string>, visitor = browser) =>
  (
    await visitor.authorize({
      client_id: app.client_id,
      redirect_uri: CALLBACK,
      response_mode: 'web_message',
      prompt: 'none',
      nonce: 'n',
      ...parameters,
    })
  ).response;

/** Runs the page's script in a window of its own, and gives back what it posted and to whom. */
function messagesOf(response: Response, { isPopup = false } = {}) {
  const posted: { message: unknown; origin: unknown; to: string }[] = [];
  const receiver = (to: string) => ({
    postMessage: (message: unknown, origin: unknown) => posted.push({ message, origin, to }),
  });
  const script = /<script nonce="[^"]+">(.*)<\/script>/s.exec(response.body)?.[1] ?? '';
  runInNewContext(script, { window: { opener: isPopup ? receiver('opener') : null, parent: receiver('parent') } });
  return JSON.parse(JSON.stringify(posted));
}

describe('response_mode=web_message', () => {
  it('posts the code to the parent, and to the origin of the redirect URI alone', async () => {
    const response = await ask({});
    expect([response.statusCode, response.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(messagesOf(response)).toEqual([
      {
        to: 'parent',
        origin: 'https://app.example.com',
        message: {
          type: 'authorization_response',
          response: { code: expect.any(String), state: 'some-state', iss: world.issuer },
        },
      },
    ]);
  });

  it('posts to the opener of a popup', async () => {
    expect(messagesOf(await ask({}), { isPopup: true })).toMatchObject([{ to: 'opener' }]);
  });

  it('posts tokens as auth0.js asks for them', async () => {
    const [{ message }] = messagesOf(await ask({ response_type: 'token id_token' }));
    expect(message.response).toMatchObject({
      access_token: expect.any(String),
      id_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 7_200,
    });
  });

  it('posts errors, so that no iframe waits for its timeout', async () => {
    const types = await eventTypesOf(world, async () => {
      const [{ message, origin }] = messagesOf(await ask({}, world.visitor()));
      expect(origin).toBe('https://app.example.com');
      expect(message.response).toMatchObject({ error: 'login_required', error_description: 'Login required' });
    });
    expect(types).toEqual(['fsa']);
  });

  it('may be framed by the application and runs its own script alone', async () => {
    const [one, two] = [await ask({}), await ask({})];
    const policy = String(one.headers['content-security-policy']);
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'nonce-[\w+/=]{24}'; frame-ancestors https:\/\/app\.example\.com; base-uri 'none'; form-action 'none'$/,
    );
    expect(policy).not.toBe(two.headers['content-security-policy']);
    expect(one.headers).not.toHaveProperty('x-frame-options');
  });

  it('lets no state end the script', async () => {
    const state = '</script><script>alert(1)</script>\u2028"\\';
    const response = await ask({ state });
    expect(response.body.match(/<\/?script/g)).toHaveLength(2);
    expect(messagesOf(response)[0].message.response.state).toBe(state);
  });

  it('reaches a sub-domain that a wildcard of web_origins names', async () => {
    const redirect_uri = 'https://pr-7.wild.example.com/callback';
    expect(messagesOf(await ask({ redirect_uri }))).toMatchObject([{ origin: 'https://pr-7.wild.example.com' }]);
  });

  it('gives no code to a callback whose origin is not among the web_origins (attack A5)', async () => {
    const before = await world.database.pool.query('select count(*) from authorization_codes');
    const redirect_uri = 'https://other.example.com/callback';
    const [{ message, origin }] = messagesOf(await ask({ redirect_uri }));
    expect(origin).toBe('https://other.example.com');
    expect(message.response).toMatchObject({
      error: 'invalid_request',
      error_description: `The specified redirect_uri '${redirect_uri}' does not have a registered origin.`,
    });
    expect(message.response).not.toHaveProperty('code');
    expect((await world.database.pool.query('select count(*) from authorization_codes')).rows).toEqual(before.rows);
  });

  it('does not exist for an address that is no web page', async () => {
    const response = await ask({ redirect_uri: 'com.app://x' });
    expect(String(response.headers.location)).toMatch(/^com\.app:\/\/x\?error=invalid_request/);
  });

  it('is answered from the login page of a popup, too', async () => {
    const visitor = world.visitor();
    const page = await ask({ prompt: '' }, visitor);
    const { email, password } = world.user;
    const done = await visitor.follow(await visitor.submit(page, { username: email, password }));
    expect(messagesOf(done, { isPopup: true })).toMatchObject([
      { origin: 'https://app.example.com', message: { response: { code: expect.any(String) } } },
    ]);
  });
});
