import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium, launchChromium } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { startPeopleDatabase, template } from './legacy-stores.ts';

const COMMAND = fileURLToPath(new URL('../../bin/gatewright.mjs', import.meta.url));
const CALLBACK = 'http://localhost:5555/callback';

describeInChromium('a user who moves in at the first login', () => {
  let server: ServerProcess;
  let people: Awaited<ReturnType<typeof startPeopleDatabase>>;
  let browser: Browser;
  let bearer: string;

  beforeAll(async () => {
    [server, people, browser] = await Promise.all([startServerProcess(), startPeopleDatabase(), launchChromium()]);
    const env = { ...process.env, GATEWRIGHT_DATA_DIR: server.dataDir };
    await promisify(execFile)(process.execPath, [COMMAND, 'egress', 'allow', 'dev', people.target, '--intranet'], {
      env,
    });
    const { client_id, client_secret, audience } = server.firstRun.management;
    const granted = await token({ grant_type: 'client_credentials', client_id, client_secret, audience });
    bearer = String(granted.access_token);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await people?.stop();
  });

  async function ask(path: string, method: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.httpOrigin}${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    expect(response.status).toBeLessThan(300);
    return { ...Object(await response.json()) };
  }

  async function token(form: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.httpOrigin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { ...Object(await response.json()) };
  }

  it('types the old password on the login page, and has an account here from then on', async () => {
    const { spa_client, password_client } = server.firstRun;
    const id = await people.add('vera@people.test', 'veras-old-password');
    const scripts = template('postgresql', 'login', 'get_user');
    const options = { enabledDatabaseCustomization: true, import_mode: true, customScripts: scripts };
    const { id: connectionId } = await ask('/api/v2/connections', 'POST', {
      name: 'people',
      strategy: 'auth0',
      enabled_clients: [spa_client.client_id, password_client.client_id],
      options: { ...options, configuration: { DATABASE_URL: people.url } },
    });

    const page = await browser.newPage();
    await page.route(`${CALLBACK}**`, (route) => route.fulfill({ body: 'back at the application' }));
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      client_id: spa_client.client_id,
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: 'openid email',
      connection: 'people',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    await page.goto(`${server.httpOrigin}/authorize?${query}`);
    const fillIn = async (password: string) => {
      await page.locator('input[name=username]').fill('vera@people.test');
      await page.locator('input[name=password]').fill(password);
      await page.locator('button[type=submit]').first().click();
    };
    await fillIn('not-hers');
    await page.getByText('Wrong email or password').waitFor();
    await fillIn('veras-old-password');
    await page.getByText('back at the application').waitFor();
    const code = new URL(page.url()).searchParams.get('code') ?? '';
    const { id_token } = await token({
      grant_type: 'authorization_code',
      client_id: spa_client.client_id,
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    });
    const claims = JSON.parse(Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ sub: `auth0|${id}`, email: 'vera@people.test', email_verified: true });

    // The old database is gone: the password is here.
    await ask(`/api/v2/connections/${connectionId}`, 'PATCH', { options: { ...options, configuration: {} } });
    const { client_id, client_secret } = password_client;
    const again = await token({
      grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
      client_id,
      client_secret,
      realm: 'people',
      username: 'vera@people.test',
      password: 'veras-old-password',
    });
    expect(again).toMatchObject({ access_token: expect.any(String) });
  });
});
