import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium, launchChromium } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { type SpaApplication, startSpaApplication } from './spa-application.ts';
import { trustAuthority } from './trust-authority.ts';

const PAGE = fileURLToPath(new URL('./react-page.browser.js', import.meta.url));
const MOST_MILLISECONDS = 15_000;

describeInChromium('auth0-react 2 in Chromium', () => {
  let server: ServerProcess;
  let browser: Browser;
  let application: SpaApplication;
  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
    browser = await launchChromium({ caFile: server.caFile });
  });
  afterAll(async () => {
    await application?.close();
    await browser?.close();
    await server?.stop();
  });

  // In memory it renews in a hidden frame (web_message), with local storage by its refresh token.
  it.each(['localstorage'] as const)(
    'logs in, calls an API, renews, and logs out, tokens in %s',
    async (cacheLocation) => {
      application = await startApplication(cacheLocation);
      const page = await open();
      const { email, password } = server.firstRun.user;
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByLabel('Email address').fill(email);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText(`Hello ${email}`).waitFor();
      const scope = expect.stringContaining('read:items');
      await page.getByRole('button', { name: 'Show the items', exact: true }).click();
      await expect.poll(() => answers(page)).toEqual([scope]);
      await page.getByRole('button', { name: 'Renew and show the items' }).click();
      await expect.poll(() => answers(page), { timeout: MOST_MILLISECONDS }).toEqual([scope, scope]);
      expect((await answers(page)).join()).not.toContain('again');
      await page.reload();
      await page.getByText(`Hello ${email}`).waitFor();
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByText('Nobody is logged in').waitFor();
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('heading', { name: 'Welcome' }).waitFor();
      await page.context().close();
      await application.close();
    },
  );

  async function startApplication(cacheLocation: 'memory' | 'localstorage'): Promise<SpaApplication> {
    return startSpaApplication({
      issuerOrigin: server.origin,
      domain: new URL(server.origin).host,
      clientId: server.firstRun.spa_client.client_id,
      audience: server.firstRun.api.identifier,
      cacheLocation,
      bundle: await bundleOf(PAGE),
    });
  }

  async function open(): Promise<Page> {
    const context = await browser.newContext();
    context.setDefaultTimeout(MOST_MILLISECONDS);
    const page = await context.newPage();
    await page.goto(application.origin);
    return page;
  }
});

async function answers(page: Page): Promise<string[]> {
  const text = (await page.locator('#answer').textContent()) ?? '';
  return [...text.matchAll(/\[([^\]]+)\]/g)].map(([, answer = '']) => answer);
}

/** One script of a module and all that it imports, as a customer's build makes it. */
async function bundleOf(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, rolldownOptions: { input: entry, output: { format: 'es' } } },
  });
  const [output] = [result].flat();
  if (output === undefined || !('output' in output)) throw new Error('The page was not built.');
  return output.output[0].code;
}
