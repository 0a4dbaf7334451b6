import express from 'express';
import { auth } from 'express-openid-connect';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeInChromium, launchChromium } from '../chromium.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { type ExpressApplication, startExpress } from './express-application.ts';
import { managementOf, registerApplication } from './register-application.ts';
import { type SpaApplication, startSpaApplication } from './spa-application.ts';
import { trustAuthority } from './trust-authority.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 180_000 });

const PASSWORD = 'Correct-horse-1-battery';
const NEW_PASSWORD = 'Another-horse-2-staple';
/** What a customer's rule would say: three reasons to ask the user something, on a site of its own. */
const RULE = `async function (user, context, callback) {
  const { nickname } = user.user_metadata || {};
  if (context.clientID === configuration.SITE_CLIENT) return callback(null, user, context);
  if (context.protocol === 'redirect-callback') {
    const said = context.request.body && context.request.body.nickname;
    if (said) await auth0.users.updateUserMetadata(user.user_id, { nickname: said });
    return callback(null, user, context);
  }
  const reason = (user.app_metadata || {}).ask;
  if (reason === 'password' || (reason === 'email' && !user.email_verified) || (reason === 'profile' && !nickname))
    context.redirect = { url: configuration.SITE + '/ask/' + reason };
  callback(null, user, context);
}`;

describeInChromium('A rule that sends its users to a site of the tenant, in Chromium', () => {
  let server: ServerProcess;
  let browser: Browser;
  let application: SpaApplication;
  let site: ExpressApplication;
  beforeAll(async () => {
    server = await startServerProcess();
    trustAuthority(server.caFile);
    browser = await launchChromium({ caFile: server.caFile });
    application = await startSpaApplication({
      domain: new URL(server.origin).host,
      clientId: server.firstRun.spa_client.client_id,
      audience: server.firstRun.api.identifier,
      issuerOrigin: server.origin,
    });
    const auth0 = managementOf(server);
    await auth0.clients.update(server.firstRun.spa_client.client_id, {
      callbacks: [`${application.origin}/`],
      web_origins: [application.origin],
    });
    site = await startSite();
    await auth0.rulesConfigs.set('SITE', { value: site.origin });
    await auth0.rules.create({ name: 'Ask on our site', script: RULE, enabled: true });
  });
  afterAll(async () => {
    await site?.close();
    await application?.close();
    await browser?.close();
    await server?.stop();
  });

  it('RUL.22: asks for a new password, and the user logs in with it', async () => {
    const email = 'password@example.com';
    await withUser(email, 'password', async (page) => {
      await page.getByLabel('New password').fill(NEW_PASSWORD);
      await page.getByRole('button', { name: 'Save' }).click();
      // A new password ends every session: the login that waits asks for it.
      await logIn(page, email, NEW_PASSWORD);
      await page.getByText(`Hello ${email}`).waitFor();
    });
  });

  it('RUL.22: has the e-mail address verified, and the tokens say so', async () => {
    const email = 'email@example.com';
    await withUser(email, 'email', async (page) => {
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText(`Hello ${email}`).waitFor();
      const token: string = await page.evaluate(
        `Object.values(localStorage).map((entry) => JSON.parse(entry).id_token).find(Boolean)`,
      );
      expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
        email_verified: true,
      });
    });
  });

  it('RUL.22: adds data to the profile that the site posts to /continue, across sites', async () => {
    const email = 'profile@example.com';
    const userId = await withUser(email, 'profile', async (page) => {
      await page.getByLabel('Nickname').fill('Countess');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText(`Hello ${email}`).waitFor();
    });
    expect((await managementOf(server).users.get(userId)).user_metadata).toEqual({ nickname: 'Countess' });
  });

  /** Logs a user in at the application; the rule sends them to the site, which knows them by single sign-on. */
  async function withUser(email: string, ask: string, use: (page: Page) => Promise<void>): Promise<string> {
    const auth0 = managementOf(server);
    const { connection } = server.firstRun;
    const user = { connection, email, password: PASSWORD, email_verified: false, app_metadata: { ask } };
    const { user_id: userId = '' } = await auth0.users.create(user);
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      await page.goto(application.origin);
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
      await logIn(page, email, PASSWORD);
      await page.getByText(`The site knows ${email}`).waitFor();
      await use(page);
    } finally {
      await context.close();
    }
    return userId;
  }

  async function logIn(page: Page, email: string, password: string): Promise<void> {
    await page.getByLabel('Email address').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  /** A second application of the tenant: it logs its visitors in for itself, and sends them back to /continue. */
  async function startSite(): Promise<ExpressApplication> {
    const client = await registerApplication(server, { name: 'Site', app_type: 'regular_web' });
    const auth0 = managementOf(server);
    const started = await startExpress((app, origin) => {
      app.use(
        auth({
          issuerBaseURL: server.origin,
          baseURL: origin,
          clientID: client.clientId,
          clientSecret: client.clientSecret,
          secret: 'x'.repeat(32),
          authRequired: true,
          authorizationParams: { response_type: 'code', scope: 'openid profile email' },
        }),
        express.urlencoded({ extended: false }),
      );
      app.get('/ask/:what', (request, response) => {
        const { what } = request.params;
        const field = { password: 'New password', profile: 'Nickname' }[what];
        const target = what === 'profile' ? `${server.origin}/continue` : `/done/${what}`;
        response.send(`<!doctype html><title>Site</title><p>The site knows ${request.oidc.user?.email}</p>
          <form method="post" action="${target}"><input type="hidden" name="state" value="${request.query.state}">
          ${field ? `<label>${field} <input name="${what === 'profile' ? 'nickname' : what}"></label>` : ''}
          <button>Save</button></form>`);
      });
      app.post('/done/:what', async (request, response) => {
        const { password, state } = request.body;
        const userId = String(request.oidc.user?.sub);
        if (request.params.what === 'password') {
          await auth0.users.update(userId, { password, connection: server.firstRun.connection });
          await auth0.users.update(userId, { app_metadata: { ask: 'nothing' } });
        } else await auth0.users.update(userId, { email_verified: true });
        response.redirect(303, `${server.origin}/continue?state=${state}`);
      });
    });
    await client.update({ callbacks: [`${started.origin}/callback`] });
    await auth0.rulesConfigs.set('SITE_CLIENT', { value: client.clientId });
    return started;
  }
});
