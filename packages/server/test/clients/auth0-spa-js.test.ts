import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagementClient } from 'auth0';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeInChromium, launchChromium, launchLenientProfile } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { type SpaApplication, startSpaApplication } from './spa-application.ts';
import { trustAuthority } from './trust-authority.ts';

const PASSWORD = 'Correct horse 1';
vi.setConfig({ testTimeout: 90_000 });
const MOST_MILLISECONDS = 15_000;

interface Redeemed {
  readonly status: number;
  readonly access_token: string;
  readonly refresh_token: string;
}

describeInChromium('auth0-spa-js 2 in Chromium', () => {
  let server: ServerProcess;
  let browser: Browser;
  let application: SpaApplication;
  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
    browser = await launchChromium({ caFile: server.caFile });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  describe.each(['https', 'http'] as const)('at the %s origin', (scheme) => {
    beforeAll(async () => {
      application = await startApplication(scheme);
    });
    afterAll(() => application?.close());

    it('signs a new user up, gets a token that an API accepts, and logs out', async () => {
      await inContext(async (context) => {
        const page = await open(context);
        const email = `ada-${scheme}@example.com`;
        await page.getByRole('button', { name: 'Log in', exact: true }).click();
        await page.getByRole('link', { name: 'Create an account' }).click();
        await page.getByLabel('Email address').fill(email);
        await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
        await page.getByRole('button', { name: 'Sign up' }).click();
        await page.getByText(`Hello ${email}`).waitFor();
        expect(await page.evaluate('app.callApi()')).toMatchObject({
          iss: `${scheme === 'https' ? server.origin : server.httpOrigin}/`,
          aud: expect.arrayContaining([server.firstRun.api.identifier]),
          azp: server.firstRun.spa_client.client_id,
          scope: 'openid profile email offline_access read:items',
        });
        await page.getByRole('button', { name: 'Log out' }).click();
        await page.getByText('Nobody is logged in').waitFor();
        expect(new URL(page.url()).origin).toBe(application.origin);
        await page.getByRole('button', { name: 'Log in', exact: true }).click();
        await page.getByRole('heading', { name: 'Welcome' }).waitFor();
      });
    });

    it('shows that a password is wrong, and logs in with the right one', async () => {
      await inContext(async (context) => {
        const page = await open(context);
        const { email, password } = server.firstRun.user;
        await page.getByRole('button', { name: 'Log in', exact: true }).click();
        await logIn(page, email, 'wrong');
        await page.getByRole('alert').getByText('Wrong email or password.').waitFor();
        expect(await page.getByLabel('Email address').inputValue()).toBe(email);
        await logIn(page, email, password);
        await page.getByText(`Hello ${email}`).waitFor();
        await page.reload();
        await page.getByText(`Hello ${email}`).waitFor();
      });
    });
  });

  describe('with a rotating refresh token in two tabs', () => {
    beforeAll(async () => {
      application = await startApplication('https');
    });
    afterAll(() => application?.close());

    it('renews in both at once, again and again, and nobody is logged out', async () => {
      await inContext(async (context) => {
        const [one, two] = await loggedInTabs(context);
        const seen = new Set<string>([await one.evaluate<string>('app.token()')]);
        for (let round = 0; round < 3; round++) {
          const tokens = await Promise.all([one, two].map((tab) => tab.evaluate<string>('app.renew()')));
          for (const token of tokens) seen.add(token);
        }
        expect(seen.size).toBe(7);
        for (const tab of [one, two]) {
          expect(await tab.evaluate('app.isLoggedIn()')).toBe(true);
          expect(await tab.evaluate('app.callApi()')).toHaveProperty('sub');
        }
      });
    });

    it('gives both racers the same successor, an access token each, and ends the family at a late replay', async () => {
      await inContext(async (context) => {
        const [one, two] = await loggedInTabs(context);
        const token = await one.evaluate<string>('app.refreshToken()');
        const redeem = (tab: Page, presented: string) => tab.evaluate<Redeemed>(`app.redeem('${presented}')`);
        const [first, second] = await Promise.all([redeem(one, token), redeem(two, token)]);
        expect([first.status, second.status]).toEqual([200, 200]);
        expect(first.refresh_token).toBe(second.refresh_token);
        expect(first.refresh_token).not.toBe(token);
        expect(first.access_token).not.toBe(second.access_token);
        const third = await redeem(two, first.refresh_token);
        expect(third.status).toBe(200);
        await withoutLeeway(async (auth0) => {
          const fourth = await redeem(one, third.refresh_token);
          expect(fourth.status).toBe(200);
          expect(await redeem(two, third.refresh_token)).toMatchObject({ status: 403, error: 'invalid_grant' });
          expect(await redeem(one, fourth.refresh_token)).toMatchObject({ status: 403, error: 'invalid_grant' });
          expect((await auth0.logs.list({ search: 'type:ferrt' })).data).toHaveLength(1);
        });
      });
    });
  });

  describe('with its tokens in memory', () => {
    beforeAll(async () => {
      application = await startApplication('https', 'memory');
    });
    afterAll(() => application?.close());

    it('renews by the refresh token that its worker keeps from the page', async () => {
      await inContext(async (context) => {
        const page = await open(context);
        const { email, password } = server.firstRun.user;
        await page.getByRole('button', { name: 'Log in', exact: true }).click();
        await logIn(page, email, password);
        await page.getByText(`Hello ${email}`).waitFor();
        expect(await page.evaluate('app.refreshToken()')).toBeUndefined();
        const token = await page.evaluate('app.token()');
        expect(await page.evaluate('app.renew()')).not.toBe(token);
        expect(await page.evaluate('app.callApi()')).toHaveProperty('sub');
      });
    });
  });

  describe.each(['https', 'http'] as const)('without refresh tokens at the %s origin', (scheme) => {
    beforeAll(async () => {
      application = await startApplication(scheme, 'memory', false);
    });
    afterAll(() => application?.close());

    it('renews in a hidden iframe, also after a reload, until the session ends', async () => {
      await inLenientProfile(async (context) => {
        const page = await open(context);
        const { email, password } = server.firstRun.user;
        await page.getByRole('button', { name: 'Log in', exact: true }).click();
        await logIn(page, email, password);
        await page.getByText(`Hello ${email}`).waitFor();
        const token = await page.evaluate('app.token()');
        expect(await page.evaluate('app.renew()')).not.toBe(token);
        await page.reload();
        await page.waitForFunction('window.app');
        expect(await page.evaluate('app.callApi()')).toHaveProperty('sub');
        await page.getByRole('button', { name: 'Log out' }).click();
        await page.getByText('Nobody is logged in').waitFor();
        expect(await page.evaluate('app.renewalError()')).toBe('login_required');
      });
    });

    it('logs in by a popup, which hands the code over and closes', async () => {
      await inContext(async (context) => {
        const page = await open(context);
        const { email, password } = server.firstRun.user;
        const [popup] = await Promise.all([
          context.waitForEvent('page'),
          page.getByRole('button', { name: 'Log in with a popup' }).click(),
        ]);
        await logIn(popup, email, password);
        await page.getByText(`Hello ${email}`).waitFor();
        expect(await page.evaluate('app.callApi()')).toHaveProperty('sub');
        if (!popup.isClosed()) await popup.waitForEvent('close');
      });
    });
  });

  function startApplication(
    scheme: 'https' | 'http',
    cacheLocation: 'localstorage' | 'memory' = 'localstorage',
    useRefreshTokens = true,
  ): Promise<SpaApplication> {
    const issuerOrigin = scheme === 'https' ? server.origin : server.httpOrigin;
    return startSpaApplication({
      issuerOrigin,
      domain: scheme === 'https' ? new URL(issuerOrigin).host : issuerOrigin,
      clientId: server.firstRun.spa_client.client_id,
      audience: server.firstRun.api.identifier,
      cacheLocation,
      useRefreshTokens,
    });
  }

  /** A profile of its own for each test: cookies and storage. A failure leaves pictures behind. */
  async function inContext(work: (context: BrowserContext) => Promise<void>): Promise<void> {
    await keepPictures(await browser.newContext(), work);
  }

  async function inLenientProfile(work: (context: BrowserContext) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'gatewright-profile-'));
    try {
      await keepPictures(await launchLenientProfile(folder, { caFile: server.caFile }), work);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function keepPictures(
    context: BrowserContext,
    work: (context: BrowserContext) => Promise<void>,
  ): Promise<void> {
    context.setDefaultTimeout(MOST_MILLISECONDS);
    try {
      await work(context);
    } catch (error) {
      const folder = join(tmpdir(), 'gatewright-screenshots');
      await mkdir(folder, { recursive: true });
      for (const [index, page] of context.pages().entries()) {
        const path = join(folder, `${Date.now()}-${index}.png`);
        await page.screenshot({ path });
        process.stderr.write(`${page.url()} looked like ${path}\n`);
      }
      throw error;
    } finally {
      await context.close();
    }
  }

  async function open(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.goto(application.origin);
    await page.waitForFunction('window.app');
    return page;
  }

  async function logIn(page: Page, email: string, password: string): Promise<void> {
    await page.getByLabel('Email address').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  async function loggedInTabs(context: BrowserContext): Promise<readonly [Page, Page]> {
    const one = await open(context);
    const { email, password } = server.firstRun.user;
    await one.getByRole('button', { name: 'Log in', exact: true }).click();
    await logIn(one, email, password);
    await one.getByText(`Hello ${email}`).waitFor();
    const two = await open(context);
    await two.getByText(`Hello ${email}`).waitFor();
    return [one, two];
  }

  async function withoutLeeway(work: (auth0: ManagementClient) => Promise<void>): Promise<void> {
    const { client_id: clientId, client_secret: clientSecret } = server.firstRun.management;
    const auth0 = new ManagementClient({ domain: new URL(server.origin).host, clientId, clientSecret });
    const rotating = (leeway: number) =>
      auth0.clients.update(server.firstRun.spa_client.client_id, {
        refresh_token: { rotation_type: 'rotating', expiration_type: 'expiring', leeway },
      });
    await rotating(0);
    await work(auth0);
    await rotating(30);
  }
});
