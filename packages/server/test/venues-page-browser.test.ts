import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import '../../../examples/venues/start/resolve-localhost.ts';
import { openManagementApi } from '../../../examples/venues/start/management-api.ts';
import { type Demo, startEverything } from '../../../examples/venues/start/start-everything.ts';
import { describeWithMemcached } from '../../api-guard/test/memcached.ts';
import { describeInChromium, launchChromium } from './chromium.ts';
import { smallPng } from './small-png.ts';

const SCREENSHOTS = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const UNREADABLE_TEXTS = readFileSync(new URL('./unreadable-texts.browser.js', import.meta.url), 'utf8');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const THEMES = ['light', 'dark'] as const;
const NARROW = 360;
const WIDTHS = [NARROW, 1280] as const;

describeInChromium('the page of the venues example in Chromium', () => {
  describeWithMemcached('beside a real backend', () => {
    let demo: Demo;
    let browser: Browser;
    let page: Page;
    const complaints: string[] = [];
    const answers: Promise<string>[] = [];
    beforeAll(async () => {
      [demo, browser] = await Promise.all([startEverything(), launchChromium()]);
      page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
      page.on('pageerror', (error) => void complaints.push(error.message));
      page.on('response', (response) => void answers.push(response.text().catch(() => '')));
      await page.goto(demo.environments.dev.userApi);
    });
    afterAll(async () => {
      await browser?.close();
      await demo?.stop();
    });

    it('asks for a login, readable in both themes and at 360 pixels', async () => {
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      await looksWell('venues-login');
    });

    it('says what is missing, and that a password is wrong', async () => {
      await page.keyboard.press('Enter');
      await page.getByText('Enter your email.').waitFor();
      await page.keyboard.type(demo.environments.dev.user.email);
      await page.keyboard.press('Tab');
      await page.keyboard.type('wrong');
      await page.keyboard.press('Enter');
      await page.getByText('Wrong user name or password.').waitFor();
      // The refusal itself is an error to the console of a browser.
      expect(complaints.splice(0)).toEqual([expect.stringContaining('401')]);
    });

    it('lets somebody in with the keyboard alone, and shows the venues', async () => {
      const { user } = demo.environments.dev;
      // The wrong password is selected.
      await page.keyboard.type(user.password);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Lantern Hall' }).waitFor();
      expect(await page.locator('#name').textContent()).toContain('Ada');
      const permissions = (await page.locator('#permissions').textContent()) ?? '';
      expect(permissions.split(', ').sort()).toEqual(['book:venues', 'read:venues']);
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

    it('asks for a new login when the session was ended elsewhere', async () => {
      const { issuer, management, user } = demo.environments.dev;
      // The focus is in the password, since the email is still there.
      await page.keyboard.type(user.password);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Lantern Hall' }).waitFor();
      const call = await openManagementApi(issuer.slice(0, -1), management);
      await call('POST', `/users/${encodeURIComponent(user.id)}/revoke-access`, {});
      await page.getByRole('button', { name: 'Renew now' }).press('Enter');
      await page.getByText('Your session has ended. Please log in again.').waitFor();
      expect(complaints).toEqual([expect.stringContaining('401')]);
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
      await writeFile(`${SCREENSHOTS}${name}.png`, smallPng(picture));
    }
  });
});
