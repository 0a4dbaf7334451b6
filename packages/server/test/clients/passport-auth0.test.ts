import session from 'express-session';
import passport from 'passport';
import Auth0Strategy from 'passport-auth0';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { type ExpressApplication, startExpress } from './express-application.ts';
import { createFetchBrowser } from './fetch-browser.ts';
import { type Application, registerApplication } from './register-application.ts';
import { trustAuthority } from './trust-authority.ts';

let server: ServerProcess;
let application: ExpressApplication;
let client: Application;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  client = await registerApplication(server, {
    name: 'Forum',
    app_type: 'regular_web',
    grant_types: ['authorization_code', 'refresh_token'],
  });
  application = await startForum();
});
afterAll(async () => {
  await application?.close();
  await server?.stop();
});

describe('passport-auth0 1', () => {
  it('logs in, reads the profile, renews, calls an API with the new token, and logs out', async () => {
    const browser = createFetchBrowser(server.origin, application.origin);
    const { email } = server.firstRun.user;
    const home = await browser.logIn(at('/log-in'), server.firstRun.user);
    expect(JSON.parse(home.body)).toMatchObject({
      displayName: expect.any(String),
      emails: [{ value: email }],
      provider: 'auth0',
    });
    expect(JSON.parse((await browser.open(at('/renew'))).body)).toMatchObject({ status: 200, profile: { email } });
    const left = await browser.open(at('/log-out'));
    expect(left.url.href).toBe(`${application.origin}/left`);
    expect((await browser.open(at('/log-in'))).url.pathname).toBe('/u/login');
  });

  it('takes no answer for a login that it did not begin', async () => {
    const browser = createFetchBrowser(server.origin, application.origin);
    const { body } = await browser.open(at('/callback?code=abc&state=another'));
    expect(body).toBe('Not logged in');
  });
});

const at = (path: string) => new URL(path, application.origin);

async function startForum(): Promise<ExpressApplication> {
  const started = await startExpress((app, origin) => {
    const strategy = new Auth0Strategy(
      {
        domain: new URL(server.origin).host,
        clientID: client.clientId,
        clientSecret: client.clientSecret,
        callbackURL: `${origin}/callback`,
      },
      (accessToken, refreshToken, _extra, profile, done) => done(null, { accessToken, refreshToken, profile }),
    );
    passport.use(strategy);
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser((user: Express.User, done) => done(null, user));
    app.use(session({ secret: 'a secret of the application', resave: false, saveUninitialized: true }));
    app.use(passport.initialize(), passport.session());
    app.get('/log-in', passport.authenticate('auth0', { scope: 'openid email profile offline_access' }));
    app.get(
      '/callback',
      passport.authenticate('auth0', { failureRedirect: '/failed', failureMessage: true }),
      (request, response) => response.json((request.user as unknown as LoggedIn).profile),
    );
    app.get('/failed', (_request, response) => response.send('Not logged in'));
    app.get('/renew', async (request, response) => {
      const renewed = await refresh((request.user as unknown as LoggedIn).refreshToken);
      const answer = await fetch(`${server.origin}/userinfo`, { headers: { authorization: `Bearer ${renewed}` } });
      response.json({ status: answer.status, profile: await answer.json() });
    });
    app.get('/log-out', (request, response, next) =>
      request.logout((error) => {
        if (error) return next(error);
        const query = new URLSearchParams({ client_id: client.clientId, returnTo: `${origin}/left` });
        response.redirect(`${server.origin}/v2/logout?${query}`);
      }),
    );
    app.get('/left', (_request, response) => response.send('Goodbye'));
  });
  await client.update({
    callbacks: [`${started.origin}/callback`],
    allowed_logout_urls: [`${started.origin}/left`],
  });
  return started;
}

interface LoggedIn {
  readonly refreshToken: string;
  readonly profile: unknown;
}

async function refresh(refreshToken: string): Promise<string> {
  const response = await fetch(`${server.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      refresh_token: refreshToken,
    }),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}
