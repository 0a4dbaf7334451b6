import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { inOrdinaryProfile } from './ordinary-profile.ts';
import { bundleOf } from './page-bundle.ts';
import { type SpaApplication, startSpaApplication } from './spa-application.ts';
import { trustAuthority } from './trust-authority.ts';

const MOST_MILLISECONDS = 15_000;

describeInChromium('auth0-react 2 in Chromium', () => {
  let server: ServerProcess;
  let application: SpaApplication;
  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
  });
  afterAll(async () => {
    await application?.close();
    await server?.stop();
  });

  // In memory it renews in a hidden frame (web_message), with local storage by its refresh token.
  it.each(['memory', 'localstorage'] as const)(
    'logs in, calls an API, renews, and logs out, tokens in %s',
    async (cacheLocation) => {
      application = await startApplication(cacheLocation);
      await inOrdinaryProfile({ origin: application.origin, caFile: server.caFile }, logInAndOut);
      await application.close();
    },
  );

  async function logInAndOut(page: Page): Promise<void> {
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
  }

  async function startApplication(cacheLocation: 'memory' | 'localstorage'): Promise<SpaApplication> {
    return startSpaApplication({
      issuerOrigin: server.origin,
      domain: new URL(server.origin).host,
      clientId: server.firstRun.spa_client.client_id,
      audience: server.firstRun.api.identifier,
      cacheLocation,
      bundle: await bundleOf('react-page.browser.js'),
    });
  }
});

async function answers(page: Page): Promise<string[]> {
  const text = (await page.locator('#answer').textContent()) ?? '';
  return [...text.matchAll(/\[([^\]]+)\]/g)].map(([, answer = '']) => answer);
}
