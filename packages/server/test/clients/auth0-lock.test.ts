import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { inOrdinaryProfile } from './ordinary-profile.ts';
import { bundleOf } from './page-bundle.ts';
import { registerApplication } from './register-application.ts';
import { type SpaApplication, startSpaApplication } from './spa-application.ts';
import { trustAuthority } from './trust-authority.ts';

describeInChromium('auth0-lock 14 in Chromium', () => {
  let server: ServerProcess;
  let application: SpaApplication;
  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
    const client = await registerApplication(server, {
      name: 'Embedded',
      app_type: 'spa',
      grant_types: ['implicit'],
      cross_origin_authentication: true,
    });
    application = await startSpaApplication({
      issuerOrigin: server.origin,
      domain: new URL(server.origin).host,
      clientId: client.clientId,
      audience: server.firstRun.api.identifier,
      bundle: await bundleOf('lock-page.browser.js', 'auth0-lock'),
      settings: { origin: server.origin },
    });
    await client.update({
      callbacks: [`${application.origin}/`],
      web_origins: [application.origin],
      allowed_logout_urls: [`${application.origin}/`],
    });
  });
  afterAll(async () => {
    await application?.close();
    await server?.stop();
  });

  it('shows a wrong password, logs in with the right one, reads the profile, renews, and logs out', () =>
    inPage(async (page) => {
      const { email, password } = server.firstRun.user;
      await page.evaluate('app.logIn()');
      await page.getByPlaceholder('yours@example.com').fill(email);
      await page.getByPlaceholder('your password').fill('wrong');
      await page.getByRole('button', { name: 'Log In' }).click();
      await page.getByText('Wrong email or password.').waitFor();
      await page.getByPlaceholder('your password').fill(password);
      await page.getByRole('button', { name: 'Log In' }).click();
      await page.getByText(`Hello ${email}`).waitFor();
      expect(await page.evaluate('app.renew()')).toEqual(expect.any(String));
      await page.evaluate('void app.logOut()');
      await page.getByText('Nobody is logged in').waitFor();
      await expect(page.evaluate('app.renew()')).rejects.toThrow('login_required');
    }));

  it('signs up, since the connection lets strangers in, and is logged in', () =>
    inPage(async (page) => {
      await page.evaluate('app.logIn()');
      await page.getByText('Sign Up', { exact: true }).click();
      await page.getByPlaceholder('yours@example.com').fill('lin@example.com');
      await page.getByPlaceholder('your password').fill('Correct horse 1');
      await page.getByRole('button', { name: 'Sign Up' }).click();
      await page.getByText('Hello lin@example.com').waitFor();
    }));

  function inPage(work: (page: Page) => Promise<void>): Promise<void> {
    return inOrdinaryProfile({ origin: application.origin, caFile: server.caFile }, async (page) => {
      await page.waitForFunction('window.app');
      await work(page);
    });
  }
});
