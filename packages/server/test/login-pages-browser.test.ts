import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageRenderer, type RenderedPage } from '../src/login/pages/page-renderer.ts';
import { describeInChromium, launchChromium } from './chromium.ts';
import { northwind as branding, login, shots } from './login-page-shots.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { smallPng } from './small-png.ts';

const SCREENSHOTS = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const UNREADABLE_TEXTS = readFileSync(new URL('./unreadable-texts.browser.js', import.meta.url), 'utf8');
const THEMES = ['light', 'dark'] as const;
const NARROW = 360;
const WIDTHS = [NARROW, 1280] as const;
const FOCUSED = 'document.activeElement.id || document.activeElement.className || document.activeElement.textContent';
const HAS_FOCUS = 'document.activeElement !== document.body';
/** What shows the focus: an outline that is drawn, or the ring of a field. */
const INDICATOR = `(() => {
  const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(document.activeElement);
  const isDrawn = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && !/, 0\\)|transparent/.test(outlineColor);
  return document.activeElement !== document.body && (isDrawn || boxShadow !== 'none') ? 'shown' : '';
})()`;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const renderer = createPageRenderer();

interface Opened {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of the console and of scripts. */
  readonly complaints: string[];
}

type Work = (page: Page, complaints: string[]) => Promise<void>;

describeInChromium('the login pages in Chromium', () => {
  let browser: Browser;
  let server: PageServer;
  let client: PageServer;
  /** All scripted shots share a page: a fresh one costs more than what it is asked. */
  let shown: Opened | undefined;

  beforeAll(async () => {
    [browser, server, client] = await Promise.all([launchChromium(), startPageServer(), startPageServer()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.close(), client?.close()]);
  });

  describe.each(Object.keys(shots))('%s', (name) => {
    it('keeps the rules of axe-core, is readable and fits: both themes, 360 and 1280 pixels, up to 400 %', async () => {
      const isScripted = name !== 'form-post';
      await (isScripted ? onOnePage : withUnscriptedPage)(async (page, complaints) => {
        server.serve('/shot', renderShot(name));
        await page.setViewportSize({ width: NARROW, height: 800 });
        await page.goto(`${server.origin}/shot`);
        if (isScripted) await page.evaluate(AXE);
        // Colours that are still on their way to the other theme would be measured halfway.
        const reducedMotion = 'reduce';
        for (const [width, colorScheme] of WIDTHS.flatMap((each) => THEMES.map((theme) => [each, theme] as const))) {
          await page.emulateMedia({ colorScheme, reducedMotion });
          await page.setViewportSize({ width, height: 800 });
          expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          if (isScripted) {
            expect(await page.evaluate<string[]>(UNREADABLE_TEXTS)).toEqual([]);
            if (width === NARROW) expect(await violations(page)).toEqual([]);
          }
          await save(page, `${name}-${colorScheme}-${width}`);
        }
        // What a window of 1,280 pixels has left at 200 and at 400 % (WCAG 2.2, 1.4.4 and 1.4.10).
        for (const width of [640, 320]) {
          await page.setViewportSize({ width, height: 500 });
          expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        }
        expect(complaints).toEqual([]);
      });
    });
  });

  it.each(['login', 'login-dark-theme', 'sign-up', 'consent'])(
    '%s shows where the focus is, and in forced colours, too',
    async (name) => {
      await withPage({}, async (page) => {
        server.serve('/shot', renderShot(name));
        for (const forcedColors of ['none', 'active'] as const) {
          await page.emulateMedia({ forcedColors, reducedMotion: 'reduce' });
          await page.goto(`${server.origin}/shot`);
          let stops = 0;
          if (!(await page.evaluate<boolean>(HAS_FOCUS))) await page.keyboard.press('Tab');
          for (; (await page.evaluate<boolean>(HAS_FOCUS)) && stops < 20; stops++) {
            expect(await page.evaluate<string>(INDICATOR)).toBe('shown');
            await page.keyboard.press('Tab');
          }
          expect(stops).toBeGreaterThan(1);
        }
      });
    },
  );

  it('does not move where people asked for less motion', async () => {
    await withPage({}, async (page) => {
      await page.emulateMedia({ reducedMotion: 'reduce' });
      server.serve('/u/login', renderer.render('login', login, branding));
      await page.goto(`${server.origin}/u/login`);
      expect(
        await page.evaluate<string>("getComputedStyle(document.querySelector('.primary')).transitionDuration"),
      ).toBe('0s');
    });
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

  async function withPage(options: { javaScriptEnabled?: boolean }, work: Work): Promise<void> {
    const { context, page, complaints } = await openPage(options);
    try {
      await work(page, complaints);
    } finally {
      await context.close();
    }
  }

  const withUnscriptedPage = (work: Work) => withPage({ javaScriptEnabled: false }, work);

  async function onOnePage(work: Work): Promise<void> {
    shown ??= await openPage();
    shown.complaints.length = 0;
    await work(shown.page, shown.complaints);
  }

  async function openPage({ javaScriptEnabled = true }: { javaScriptEnabled?: boolean } = {}): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, javaScriptEnabled });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => void complaints.push(error.message));
    return { context, page, complaints };
  }
});

function renderShot(name: string): RenderedPage {
  const shot = shots[name];
  if (shot === undefined) throw new Error(`No sample ${name}`);
  const [page, model, brand, presentation] = shot;
  return renderer.render(page, model, brand, presentation);
}

/** Rules of axe-core that the page breaks, WCAG 2.2 A and AA and its good practices; at which elements. */
async function violations(page: Page): Promise<string[]> {
  const result: { violations: { id: string; nodes: { html: string }[] }[] } = await page.evaluate('axe.run()');
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Pictures for the documentation: UPDATE_SCREENSHOTS=1 writes them. */
async function save(page: Page, name: string): Promise<void> {
  if (process.env.UPDATE_SCREENSHOTS !== '1') return;
  await mkdir(SCREENSHOTS, { recursive: true });
  const picture = await page.screenshot({ fullPage: true, caret: 'hide', animations: 'disabled' });
  await writeFile(`${SCREENSHOTS}${name}.png`, smallPng(picture));
}
