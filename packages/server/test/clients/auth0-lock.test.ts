import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium } from '../chromium.ts';
import type { ServerProcess } from '../server-process.ts';
import { type EmbeddedApplication, startEmbeddedApplication } from './embedded-application.ts';
import { inOrdinaryProfile } from './ordinary-profile.ts';

describeInChromium('auth0-lock 14 in Chromium', () => {
  let server: ServerProcess;
  let application: EmbeddedApplication;
  beforeAll(async () => {
    application = await startEmbeddedApplication({
      page: 'lock-page.browser.js',
      reactOf: 'auth0-lock',
      grantTypes: ['implicit'],
      settings: ({ origin }) => ({ origin }),
    });
    server = application.server;
  });
  afterAll(() => application?.close());

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
