import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ManagementClient } from 'auth0';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeInChromium, launchChromium } from './chromium.ts';
import { trustAuthority } from './clients/trust-authority.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const COMMAND = fileURLToPath(new URL('../bin/gatewright.mjs', import.meta.url));
const EMAIL = 'kim@example.com';
const FOCUSED = `(() => {
  const { labels, textContent, id } = document.activeElement;
  return document.activeElement === document.body ? '' : (labels?.[0] ?? { textContent }).textContent.trim() || id;
})()`;
const MOST_STOPS = 12;

/** Nothing here touches a mouse: Tab, typing and Enter, with the focus where the page put it. */
describeInChromium('with the keyboard alone, somebody', () => {
  let server: ServerProcess;
  let application: Server;
  let callback: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const ids = { strangers: '', others: '', device: '' };

  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
    application = createServer((_request, response) => response.end('Back at the application')).listen(0, '127.0.0.1');
    await once(application, 'listening');
    callback = `http://localhost:${(application.address() as AddressInfo).port}/callback`;
    await register();
    browser = await launchChromium({ caFile: server.caFile });
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    application?.close().closeAllConnections();
    await server?.stop();
  });

  it('signs up', async () => {
    await page.goto(authorize(server.firstRun.spa_client.client_id));
    await press('Create an account');
    await fill('Email address', EMAIL);
    await fill('Password', 'Correct horse 1');
    await press('Sign up');
    await page.waitForURL(/\/callback\?code=/);
  });

  it('allows what an application of strangers asks for', async () => {
    await page.goto(authorize(ids.strangers));
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor();
    await press('Allow');
    await page.waitForURL(/\/callback\?code=/);
  });

  it('declines what another application asks for, and the application is told', async () => {
    await page.goto(authorize(ids.others));
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor();
    await press('Decline');
    await page.waitForURL(/\/callback\?.*error=access_denied/);
    await page.goto(authorize(ids.others));
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor();
  });

  it('chooses the account that is logged in, or another one', async () => {
    const choice = authorize(server.firstRun.spa_client.client_id, { prompt: 'select_account' });
    await page.goto(choice);
    await page.getByRole('heading', { name: 'Choose an account' }).waitFor();
    await press(`Continue as ${EMAIL}`);
    await page.waitForURL(/\/callback\?code=/);
    await page.goto(choice);
    await press('Use another account');
    await fill('Email address', server.firstRun.user.email);
    await fill('Password', server.firstRun.user.password);
    await press('Log in');
    await page.waitForURL(/\/callback\?code=/);
    await page.goto(choice);
    await reach(`Continue as ${server.firstRun.user.email}`);
  });

  it('connects a device', async () => {
    const asked = await fetch(`${server.origin}/oauth/device/code`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: ids.device, scope: 'openid' }),
    });
    const { user_code: code, verification_uri: address } = JSON.parse(await asked.text());
    await page.goto(address);
    await fill('Code', code);
    await press('Continue');
    await page.getByRole('heading', { name: 'Is this your device?' }).waitFor();
    await press('Confirm');
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
  });

  it('resets a forgotten password, corrects a slip, and logs in', async () => {
    await page.goto(authorize(server.firstRun.spa_client.client_id, { prompt: 'login' }));
    await press('Forgot password?');
    await fill('Email address', EMAIL);
    await press('Send the link');
    await page.getByRole('heading', { name: 'Check your email' }).waitFor();
    await page.goto(await linkOfNewestMail());
    await fill('New password', 'Another horse 2');
    await fill('New password once more', 'Another horse');
    await press('Save the password');
    await page.getByText('The two passwords are not the same.').waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await fill('New password', 'Another horse 2');
    await fill('New password once more', 'Another horse 2');
    await press('Save the password');
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();
    await press('Log in');
    await fill('Email address', EMAIL);
    await fill('Password', 'Another horse 2');
    await press('Log in');
    await page.waitForURL(/\/callback\?code=/);
  });

  it('logs out after a question', async () => {
    await page.goto(`${server.origin}/oidc/logout`);
    await press('Log out');
    await page.getByRole('heading', { name: 'You are logged out' }).waitFor();
  });

  /** Tab until the focus is on what a reader of the page would call by this name. */
  async function reach(name: string): Promise<void> {
    const met: string[] = [];
    for (let stops = 0; stops < MOST_STOPS; stops += 1) {
      const focused = await page.evaluate<string>(FOCUSED);
      if (focused === name) return;
      met.push(focused);
      await page.keyboard.press('Tab');
    }
    expect(met).toContain(name);
  }

  async function fill(name: string, text: string): Promise<void> {
    await reach(name);
    await page.keyboard.type(text);
  }

  async function press(name: string): Promise<void> {
    await reach(name);
    const arrived = page.waitForEvent('load');
    await page.keyboard.press('Enter');
    await arrived;
  }

  function authorize(clientId: string, more: Readonly<Record<string, string>> = {}): string {
    const proof = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
    const asked = {
      client_id: clientId,
      redirect_uri: callback,
      response_type: 'code',
      scope: 'openid email',
      state: 's',
    };
    return `${server.origin}/authorize?${new URLSearchParams({ ...asked, ...proof, ...more })}`;
  }

  async function linkOfNewestMail(): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, 'mails', 'show', 'latest'], {
      env: { PATH: process.env.PATH, GATEWRIGHT_DATA_DIR: server.dataDir },
    });
    const [link] = /https:\/\/\S+ticket=\S+/.exec(stdout) ?? [];
    if (link === undefined) throw new Error(`No link in ${stdout}`);
    return link;
  }

  async function register(): Promise<void> {
    const { management, connection: name } = server.firstRun;
    const api = new ManagementClient({
      domain: new URL(server.origin).host,
      clientId: management.client_id,
      clientSecret: management.client_secret,
      audience: management.audience,
    });
    const none = { token_endpoint_auth_method: 'none', oidc_conformant: true } as const;
    const strangers = {
      name: 'Strangers',
      app_type: 'spa' as const,
      is_first_party: false,
      callbacks: [callback],
      ...none,
    };
    ids.strangers = (await api.clients.create(strangers)).client_id ?? '';
    ids.others = (await api.clients.create({ ...strangers, name: 'Others' })).client_id ?? '';
    const grant = 'urn:ietf:params:oauth:grant-type:device_code';
    ids.device =
      (await api.clients.create({ name: 'TV', app_type: 'native', grant_types: [grant], ...none })).client_id ?? '';
    for (const { id = '' } of (await api.connections.list({ name })).data) {
      await api.connections.update(id, { is_domain_connection: true });
      await api.connections.clients.update(id, [{ client_id: ids.device, status: true }]);
    }
  }
});
