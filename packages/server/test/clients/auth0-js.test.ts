import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callServer } from '../../src/control/control-client.ts';
import { describeInChromium } from '../chromium.ts';
import type { ServerProcess } from '../server-process.ts';
import { type EmbeddedApplication, startEmbeddedApplication } from './embedded-application.ts';
import { inOrdinaryProfile } from './ordinary-profile.ts';

describeInChromium('auth0-js 10 in Chromium', () => {
  let server: ServerProcess;
  let application: EmbeddedApplication;
  beforeAll(async () => {
    application = await startEmbeddedApplication({
      page: 'auth0-js-page.browser.js',
      grantTypes: ['implicit', 'password', 'http://auth0.com/oauth/grant-type/password-realm'],
      settings: ({ firstRun }) => ({ connection: firstRun.connection }),
    });
    server = application.server;
  });
  afterAll(() => application?.close());

  it('logs in on our page, calls an API, renews in a hidden frame, and logs out', () =>
    inPage(async (page) => {
      const { email, password } = server.firstRun.user;
      await page.evaluate('void app.authorize()');
      await page.getByLabel('Email address').fill(email);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText(`Hello ${email}`).waitFor();
      expect(await page.evaluate('app.userInfo()')).toMatchObject({ email });
      const token = await page.evaluate('app.token');
      expect(await page.evaluate('app.renew()')).not.toBe(token);
      expect(await page.evaluate('app.callApi()')).toMatchObject({ scope: expect.stringContaining('read:items') });
      await page.evaluate('void app.logOut()');
      await page.getByText('Nobody is logged in').waitFor();
      await expect(page.evaluate('app.renew()')).rejects.toThrow('login_required');
    }));

  it('logs in with the password that its own page asks for', () =>
    inPage(async (page) => {
      const { email, password } = server.firstRun.user;
      await expect(page.evaluate(`app.logIn('${email}', 'wrong')`)).rejects.toThrow(
        'access_denied: Wrong email or password.',
      );
      await page.evaluate(`void app.logIn('${email}', '${password}')`);
      await page.getByText(`Hello ${email}`).waitFor();
      expect(await page.evaluate('app.renew()')).toEqual(expect.any(String));
      expect(await page.evaluate('app.callApi()')).toHaveProperty('sub');
    }));

  it('logs in with a password without leaving its page', () =>
    inPage(async (page) => {
      const { email, password } = server.firstRun.user;
      const result = await page.evaluate(`app.logInByPopupCredentials('${email}', '${password}')`);
      expect(result).toMatchObject({ accessToken: expect.any(String), idTokenPayload: { email } });
    }));

  it('uses the password grant', () =>
    inPage(async (page) => {
      const { email, password } = server.firstRun.user;
      const result = await page.evaluate(`app.passwordGrant('${email}', '${password}')`);
      expect(result).toMatchObject({ accessToken: expect.any(String) });
    }));

  it('signs up and logs in, and asks for a new password', () =>
    inPage(async (page) => {
      const email = 'grace@example.com';
      await page.evaluate(`void app.signUpAndLogIn('${email}', 'Correct horse 1')`);
      await page.getByText(`Hello ${email}`).waitFor();
      expect(await page.evaluate(`app.changePassword('${email}')`)).toBe(
        "We've just sent you an email to reset your password.",
      );
    }));

  it('leaves the login for the link in a mail, chooses a new password, and is logged in with it', () =>
    inPage(async (page) => {
      const email = 'hedy@example.com';
      await page.evaluate(`void app.signUpAndLogIn('${email}', 'Correct horse 1')`);
      await page.getByText(`Hello ${email}`).waitFor();
      await page.evaluate('void app.logOut()');
      await page.getByText('Nobody is logged in').waitFor();

      await page.evaluate('void app.authorize()');
      await page.getByRole('link', { name: 'Forgot password?' }).click();
      await page.getByLabel('Email address').fill(email);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Check your email' }).waitFor();

      const { to, text } = await callServer(server.dataDir, 'mails-show', { id: 'latest' });
      expect(to).toBe(email);
      await page.goto(/^https:\S+$/m.exec(String(text))?.[0] ?? '');
      expect(page.url()).toBe(`${server.origin}/u/reset-password/change`);
      const rule = page.getByText('At least 8 characters');
      await page.getByLabel('New password', { exact: true }).fill('short');
      expect(await rule.getAttribute('class')).not.toBe('is-met');
      await page.getByLabel('New password', { exact: true }).fill('A quite new horse 9');
      expect(await rule.getAttribute('class')).toBe('is-met');
      await page.getByLabel('New password once more').fill('A quite new horse 9');
      await page.getByRole('button', { name: 'Save the password' }).click();
      await page.getByRole('link', { name: 'Log in' }).click();
      await page.getByLabel('Email address').fill(email);
      await page.getByLabel('Password', { exact: true }).fill('A quite new horse 9');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText(`Hello ${email}`).waitFor();
    }));

  function inPage(work: (page: Page) => Promise<void>): Promise<void> {
    return inOrdinaryProfile({ origin: application.origin, caFile: server.caFile }, async (page) => {
      await page.waitForFunction('window.app');
      await work(page);
    });
  }
});
