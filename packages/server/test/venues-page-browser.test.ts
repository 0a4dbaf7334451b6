import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithMemcached } from '../../api-guard/test/memcached.ts';
import { describeInChromium, launchChromium } from './chromium.ts';
import { COMPILE_CACHE } from './compile-cache.ts';

const DEMO = fileURLToPath(new URL('../../../examples/venues/demo.ts', import.meta.url));
const SCREENSHOTS = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const UNREADABLE_TEXTS = readFileSync(new URL('./unreadable-texts.browser.js', import.meta.url), 'utf8');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const THEMES = ['light', 'dark'] as const;
const NARROW = 360;
const WIDTHS = [NARROW, 1280] as const;

describeInChromium('npm run demo, and its page in Chromium', () => {
  describeWithMemcached('beside a real backend', () => {
    let demo: ReturnType<typeof startDemo>;
    let browser: Browser;
    let page: Page;
    let user: { readonly email: string; readonly password: string };
    const complaints: string[] = [];
    const answers: Promise<string>[] = [];
    beforeAll(async () => {
      demo = startDemo();
      [browser] = await Promise.all([launchChromium(), demo.says('stops everything')]);
      // The row of dev, as a newcomer reads it.
      const [, url = '', email = '', password = ''] =
        /^ +dev +(http\S+) +(\S+@\S+) +(\S+)$/m.exec(demo.printed()) ?? [];
      user = { email, password };
      page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
      page.setDefaultTimeout(60_000);
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
      page.on('pageerror', (error) => void complaints.push(error.message));
      page.on('response', (response) => void answers.push(response.text().catch(() => '')));
      await page.goto(url);
    });
    afterAll(async () => {
      await browser?.close();
      await demo?.end('SIGTERM');
    });

    it('asks for a login, readable in both themes and at 360 pixels', async () => {
      await page.getByRole('heading', { name: 'Log in', exact: true }).waitFor();
      await looksWell('venues-login');
    });

    it('says what is missing, and that a password is wrong', async () => {
      await page.keyboard.press('Enter');
      await page.getByText('Enter your email.').waitFor();
      await page.keyboard.type(user.email);
      await page.keyboard.press('Tab');
      await page.keyboard.type('wrong');
      await page.keyboard.press('Enter');
      await page.getByText('Wrong user name or password.').waitFor();
      // The refusal itself is an error to the console of a browser.
      expect(complaints.splice(0)).toEqual([expect.stringContaining('401')]);
    });

    it('lets somebody in with the keyboard alone, and shows the venues and what is behind them', async () => {
      // The wrong password is selected.
      await page.keyboard.type(user.password);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Lantern Hall' }).waitFor();
      expect(await page.locator('#name').textContent()).toContain('Ada');
      const permissions = await page.locator('#permissions li').allTextContents();
      expect(permissions.sort()).toEqual(['book:venues', 'read:venues']);
      await page.locator('#misses', { hasText: /^[1-9]/ }).waitFor();
      await page.getByRole('cell', { name: 'GET /venues' }).waitFor();
      await looksWell('venues-inside');
      await page.getByRole('button', { name: 'Book The Kiln' }).press('Enter');
      await page.getByText('The Kiln is booked.').waitFor({ state: 'attached' });
    });

    it('renews its token, and keeps none where another script or a reload would find it', async () => {
      await page.getByRole('button', { name: 'Renew now' }).press('Enter');
      await page.getByText('once', { exact: true }).waitFor();
      const kept = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])';
      expect(await page.evaluate(kept)).toBe('[{},{},""]');
      const told = (await Promise.all(answers)).join('\n');
      expect(told).toContain('access_token');
      expect(told).not.toContain('refresh_token');
    });

    it('logs out', async () => {
      await page.getByRole('button', { name: 'Log out' }).press('Enter');
      await page.getByText('You are logged out.').waitFor();
      expect(await page.locator('#inside').isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });

    it('asks for a new login when the session was revoked, as by typing so at the terminal', async () => {
      // The focus is in the password, since the email is still there.
      await page.keyboard.type(user.password);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Lantern Hall' }).waitFor();
      demo.types('revoke');
      await demo.says('Revoked: renewals are refused now');
      await page.getByRole('button', { name: 'Renew now' }).press('Enter');
      await page.getByText('Your session has ended. Please log in again.').waitFor();
      expect(complaints).toEqual([expect.stringContaining('401')]);
    });

    it('says that nobody can log in while memcached is gone, and lets in again when it is back', async () => {
      demo.types('memcached');
      await demo.says('memcached is gone');
      await page.keyboard.type(user.password);
      await page.keyboard.press('Enter');
      await page.getByText('The service is away for a moment. Try again.').waitFor();
      demo.types('memcached');
      await demo.says('memcached is back');
      await expect
        .poll(
          async () => {
            // Services try again after a moment, each for itself; the focus is in the password until somebody is in.
            await page.keyboard.press('Enter');
            return page.getByRole('heading', { name: 'Lantern Hall' }).isVisible();
          },
          { timeout: 60_000, interval: 500 },
        )
        .toBe(true);
    });

    it('says so where nobody heard of a logout, and lets no renewal that was under way open the session again', async () => {
      const loggedOut = Promise.withResolvers<void>();
      await page.route('**/session/refresh', async (route) => {
        await loggedOut.promise;
        await route.continue();
      });
      await page.route('**/session/logout', (route) => route.abort());
      const renewed = page.waitForResponse('**/session/refresh');
      await page.getByRole('button', { name: 'Renew now' }).press('Enter');
      await page.getByRole('button', { name: 'Log out' }).press('Enter');
      await page.getByText('You are logged out on this page. The server can’t be told now').waitFor();
      loggedOut.resolve();
      expect((await renewed).status()).toBe(200);
      await page.waitForTimeout(300);
      expect(await page.locator('#claims').textContent()).toBe('');
      expect(await page.locator('#status').textContent()).toBe('');
    });

    it('ends every process on Ctrl+C, and removes what it wrote', async () => {
      const pids = [...demo.printed().matchAll(/ pid (\d+)$/gm)].map(([, pid]) => Number(pid));
      expect(pids).toHaveLength(8);
      const folder = dirname(/\S+acme-dev\.json/.exec(demo.printed())?.[0] ?? '');
      expect(existsSync(folder)).toBe(true);
      // PostgreSQL is none of those that were printed.
      if (process.platform === 'linux') expect(processesOf(folder)).not.toEqual([]);
      const { code } = await demo.end('SIGINT', { group: true });
      expect(demo.printed()).toContain('Everything has ended.');
      // Only the memcached that was killed ended on its own.
      expect(demo.printed().match(/^.* \(pid \d+\) has ended/gm)).toEqual([expect.stringContaining('memcached')]);
      expect(code).toBe(0);
      expect(pids.filter(isRunning)).toEqual([]);
      expect(processesOf(folder)).toEqual([]);
      expect(existsSync(folder)).toBe(false);
    });

    async function looksWell(name: string): Promise<void> {
      for (const [width, colorScheme] of WIDTHS.flatMap((each) => THEMES.map((theme) => [each, theme] as const))) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        expect(await page.evaluate<string[]>(UNREADABLE_TEXTS)).toEqual([]);
        if (width === NARROW) expect(await violations()).toEqual([]);
        await save(`${name}-${colorScheme}-${width}`);
      }
    }

    async function violations(): Promise<string[]> {
      await page.evaluate(AXE);
      const result: { violations: { id: string; nodes: { html: string }[] }[] } = await page.evaluate('axe.run()');
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    }

    /** Pictures for the documentation: UPDATE_SCREENSHOTS=1 writes them. */
    async function save(name: string): Promise<void> {
      if (process.env.UPDATE_SCREENSHOTS !== '1') return;
      await mkdir(SCREENSHOTS, { recursive: true });
      const picture = await page.screenshot({ fullPage: true, caret: 'hide', animations: 'disabled' });
      // As it is: with a palette of 256 colours cards and paper were one colour.
      await writeFile(`${SCREENSHOTS}${name}.png`, picture);
    }
  });
});

/** In a process group of its own, as a shell runs it. */
function startDemo() {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: COMPILE_CACHE };
  // Others may try the usual ones on this machine; below the range that outgoing connections take theirs from.
  const port = String(randomInt(10_000, 32_000));
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [DEMO, '--port', port], {
    env,
    detached: true,
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  const ended = once(child, 'close').then(([code]: readonly (number | null)[]) => ({ code }));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    printed: () => printed,
    types: (line: string) => child.stdin.write(`${line}\n`),
    async says(text: string) {
      while (!hasEnded() && !printed.includes(text)) await sleep(20);
      expect(printed).toContain(text);
    },
    async end(signal: NodeJS.Signals, { group = false } = {}) {
      if (!hasEnded()) process.kill(group ? -(child.pid ?? 0) : (child.pid ?? 0), signal);
      return ended;
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Those that have it in their command line: Linux tells. */
function processesOf(folder: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}
