import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Branding } from '../src/login/pages/branding.ts';
import {
  createPageRenderer,
  type PageModelByName,
  type PageName,
  type RenderedPage,
} from '../src/login/pages/page-renderer.ts';
import { describeInChromium, launchChromium } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { smallPng } from './small-png.ts';

const SCREENSHOTS = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const UNREADABLE_TEXTS = readFileSync(new URL('./unreadable-texts.browser.js', import.meta.url), 'utf8');
const THEMES = ['light', 'dark'] as const;
const WIDTHS = [360, 1280] as const;
const branding: Branding = { tenantName: 'Northwind' };
const LOGO = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 172 40"><circle cx="20" cy="20" r="16" fill="#f2b705"/><text x="46" y="28" font-family="sans-serif" font-weight="700" font-size="23" fill="#2b2410">Brightside</text></svg>')}`;
const form = {
  state: 's',
  csrfToken: 'c',
  connection: 'Username-Password-Authentication',
  clientName: 'Meridian Travel',
};
const login: PageModelByName['login'] = {
  ...form,
  action: '/u/login',
  signUpUrl: '/u/signup?state=s',
  resetPasswordUrl: '/u/reset-password/request?state=s',
};
const FOCUSED = 'document.activeElement.id || document.activeElement.className || document.activeElement.textContent';
const renderer = createPageRenderer();

/** What the screenshots show; each is checked for layout and contrast too. */
const shots: Record<string, { [Name in PageName]: [Name, PageModelByName[Name], Branding] }[PageName]> = {
  login: ['login', login, branding],
  'login-error': [
    'login',
    { ...login, username: 'ada@example.com', errors: { form: ['wrong-email-credentials'] } },
    { tenantName: 'Brightside Books', logoUrl: LOGO, primaryColor: '#f2b705', pageBackground: '#faf6ea' },
  ],
  'sign-up': [
    'sign-up',
    {
      ...form,
      action: '/u/signup',
      requiresUsername: true,
      email: 'ada@example',
      passwordRules: { minLength: 8, groups: ['lowerCase', 'upperCase', 'numbers', 'special'], groupsNeeded: 3 },
      errors: { fields: { email: 'invalid-email-format' } },
      loginUrl: '/u/login?state=s',
    },
    branding,
  ],
  error: [
    'error',
    {
      reason: 'callback-mismatch',
      reference: '5f2c9b7e41d0a6e3',
      details: {
        error: 'unauthorized_client',
        description: 'Callback URL mismatch. https://app.example/cb is not in the list of allowed callback URLs',
      },
      clientName: 'Meridian Travel',
      clientUrl: 'https://app.example/',
    },
    { ...branding, supportUrl: 'https://support.example/' },
  ],
  'logged-out': [
    'logged-out',
    { clientName: 'Meridian Travel', clientUrl: 'https://app.example/', loginUrl: '/login' },
    branding,
  ],
  'form-post': [
    'form-post',
    { redirectUri: 'https://app.example/callback', parameters: { code: 'x' }, clientName: 'Meridian Travel' },
    branding,
  ],
};

describeInChromium('the login pages in Chromium', () => {
  let browser: Browser;
  let server: PageServer;
  let client: PageServer;

  beforeAll(async () => {
    [browser, server, client] = await Promise.all([launchChromium(), startPageServer(), startPageServer()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.close(), client?.close()]);
  });

  describe.each(Object.keys(shots))('%s', (name) => {
    it('is readable and fits in both themes, at 360 and at 1280 pixels', async () => {
      const isScripted = name !== 'form-post';
      await withPage({ javaScriptEnabled: isScripted }, async (page, complaints) => {
        server.serve('/shot', renderShot(name));
        for (const [colorScheme, width] of THEMES.flatMap((theme) => WIDTHS.map((each) => [theme, each] as const))) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 800 });
          await page.goto(`${server.origin}/shot`);
          expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          if (isScripted) expect(await page.evaluate<string[]>(UNREADABLE_TEXTS)).toEqual([]);
          await save(page, `${name}-${colorScheme}-${width}`);
        }
        expect(complaints).toEqual([]);
      });
    }, 60_000);
  });

  it('can be used with the keyboard alone: e-mail, password, show, reset, log in', async () => {
    await withPage({}, async (page) => {
      server.serve('/u/login', renderer.render('login', login, branding));
      await page.goto(`${server.origin}/u/login`);
      const focused: string[] = [];
      for (let step = 0; step < 6; step += 1) {
        focused.push(await page.evaluate<string>(FOCUSED));
        await page.keyboard.press('Tab');
      }
      expect(focused).toEqual(['username', 'password', 'reveal', 'Forgot password?', 'primary', 'Create an account']);
    });
  });

  it('is sent by Enter, with the Origin that the server compares, and follows redirects to other origins', async () => {
    await withPage({}, async (page, complaints) => {
      const { origin } = server;
      client.serve('/callback', { location: `${client.origin.replace('127.0.0.1', 'localhost')}/home` });
      server.serve('/resume', { location: `${client.origin}/callback` });
      server.serve('/u/do-login', { location: `${origin}/resume` });
      server.serve('/u/login', renderer.render('login', { ...login, action: '/u/do-login' }, branding));
      await page.goto(`${origin}/u/login`);
      await page.keyboard.type('ada@example.com');
      await page.keyboard.press('Tab');
      await page.keyboard.type('correct horse');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/home');
      const posted = server.arrivals.find(({ method }) => method === 'POST');
      expect(posted?.headers.origin).toBe(origin);
      expect(Object.fromEntries(posted?.body ?? [])).toEqual({
        state: 's',
        _csrf: 'c',
        connection: 'Username-Password-Authentication',
        username: 'ada@example.com',
        password: 'correct horse',
        action: 'default',
      });
      expect(complaints).toEqual([]);
    });
  });

  it('shows the password on request, and hides it again', async () => {
    await withPage({}, async (page) => {
      server.serve('/u/login', renderer.render('login', login, branding));
      await page.goto(`${server.origin}/u/login`);
      await page.getByLabel('Password', { exact: true }).fill('correct horse');
      await page.getByRole('button', { name: 'Show password' }).click();
      expect(await page.locator('#password').getAttribute('type')).toBe('text');
      await page.getByRole('button', { name: 'Hide password' }).click();
      expect(await page.locator('#password').getAttribute('type')).toBe('password');
    });
  });

  it('ticks off the rules that a new password keeps', async () => {
    await withPage({}, async (page) => {
      server.serve('/u/signup', renderShot('sign-up'));
      await page.goto(`${server.origin}/u/signup`);
      await page.locator('#password').fill('abcdefgh');
      expect(await page.locator('.rules .is-met').count()).toBe(1);
      await page.locator('#password').fill('abcdEFG9');
      expect(await page.locator('.rules .is-met').count()).toBe(2);
    });
  });

  it.each([true, false])('posts a form_post response to the client, JavaScript on: %s', async (javaScriptEnabled) => {
    await withPage({ javaScriptEnabled }, async (page) => {
      client.serve('/posted', { location: `${server.origin}/after` });
      const parameters = { code: 'abc', state: '"<&', submit: 'x' };
      const redirectUri = `${client.origin}/posted`;
      server.serve('/form', renderer.render('form-post', { redirectUri, parameters, clientName: 'App' }, branding));
      await page.goto(`${server.origin}/form`);
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**/after');
      const posted = client.arrivals.findLast(({ path }) => path === '/posted');
      expect(Object.fromEntries(posted?.body ?? [])).toEqual(parameters);
      expect(posted?.headers.origin).toBe(server.origin);
    });
  });

  async function withPage(
    options: { javaScriptEnabled?: boolean },
    work: (page: Page, complaints: string[]) => Promise<void>,
  ): Promise<void> {
    const { javaScriptEnabled = true } = options;
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, javaScriptEnabled });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => void complaints.push(error.message));
    try {
      await work(page, complaints);
    } finally {
      await context.close();
    }
  }
});

function renderShot(name: string): RenderedPage {
  const shot = shots[name];
  if (shot === undefined) throw new Error(`No sample ${name}`);
  const [page, model, brand] = shot;
  return renderer.render(page, model, brand);
}

/** Pictures for the documentation: UPDATE_SCREENSHOTS=1 writes them. */
async function save(page: Page, name: string): Promise<void> {
  if (process.env.UPDATE_SCREENSHOTS !== '1') return;
  await mkdir(SCREENSHOTS, { recursive: true });
  const picture = await page.screenshot({ fullPage: true, caret: 'hide', animations: 'disabled' });
  await writeFile(`${SCREENSHOTS}${name}.png`, smallPng(picture));
}
