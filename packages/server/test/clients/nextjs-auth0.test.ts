import { randomBytes } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium, launchChromium } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { startApi } from './api-application.ts';
import type { ExpressApplication } from './express-application.ts';
import { type NextApplication, startNext } from './next-server.ts';
import { registerApplication } from './register-application.ts';
import { trustAuthority } from './trust-authority.ts';

const MOST_MILLISECONDS = 30_000;

describeInChromium('nextjs-auth0 4 in Chromium', () => {
  let server: ServerProcess;
  let browser: Browser;
  let api: ExpressApplication;
  let application: NextApplication;
  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
    browser = await launchChromium({ caFile: server.caFile });
    api = await startApi(server);
    const client = await registerApplication(server, {
      name: 'Portal',
      app_type: 'regular_web',
      grant_types: ['authorization_code', 'refresh_token'],
    });
    application = await startNext((origin) => ({
      AUTH0_DOMAIN: server.origin,
      AUTH0_CLIENT_ID: client.clientId,
      AUTH0_CLIENT_SECRET: client.clientSecret,
      AUTH0_SECRET: randomBytes(32).toString('hex'),
      AUTH0_AUDIENCE: server.firstRun.api.identifier,
      APP_BASE_URL: origin,
      API: `${api.origin}/items`,
      NODE_EXTRA_CA_CERTS: server.caFile,
    }));
    await client.update({
      callbacks: [`${application.origin}/auth/callback`],
      allowed_logout_urls: [application.origin],
    });
  });
  afterAll(async () => {
    await application?.close();
    await api?.close();
    await browser?.close();
    await server?.stop();
  });

  it('logs in, calls an API from the server, renews, and logs out', async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(MOST_MILLISECONDS);
    const page = await context.newPage();
    const { email, password } = server.firstRun.user;
    await page.goto(application.origin);
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByLabel('Email address').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText(`Hello ${email}`).waitFor();
    const items = async (query = ''): Promise<{ token: string; status: number; scope: string }> =>
      JSON.parse(await (await page.request.get(`${application.origin}/items${query}`)).text());
    const first = await items();
    expect(first).toMatchObject({ status: 200, scope: expect.stringContaining('read:items') });
    expect((await items()).token).toBe(first.token);
    const renewed = await items('?renew');
    expect(renewed.status).toBe(200);
    expect(renewed.token).not.toBe(first.token);
    await page.getByRole('link', { name: 'Log out' }).click();
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Welcome' }).waitFor();
    await context.close();
  });
});
