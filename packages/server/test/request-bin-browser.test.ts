import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RequestBin, startRequestBin } from '../src/request-bin/request-bin.ts';
import { describeInChromium, launchChromium } from './chromium.ts';
import { event } from './log-export/tenant-stand-in.ts';
import { smallPng } from './small-png.ts';

const SCREENSHOTS = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const THEMES = ['light', 'dark'] as const;
const WIDTHS = [360, 1280] as const;

describeInChromium('the page of gatewright bin in Chromium', () => {
  let browser: Browser;
  let bin: RequestBin;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    const options = { port: 0, host: '127.0.0.1', status: 500, failOn: [3], delayMilliseconds: 0, onRequest: () => {} };
    [browser, bin] = await Promise.all([launchChromium(), startRequestBin(options)]);
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => void complaints.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    await bin?.stop();
  });

  const send = (body: unknown, path = '/hook', id = '') =>
    fetch(`${bin.origin}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'webhook-id': id } });
  const rows = () => page.locator('#list button');
  const current = () => page.locator('[aria-current] .number').textContent();

  it('says what to do while nothing has come, and shows each request as it comes, the newest first', async () => {
    await page.goto(bin.origin);
    await page.getByText('Nothing has come yet').waitFor();
    await page.getByText('live, 0 requests').waitFor();
    for (const [index, type] of ['s', 'f', 'limit_wc', 'fp', 'ss'].entries()) {
      const record = event(index + 1, type, { details: { body: { username: 'ada@example.com', password: '*****' } } });
      await send(record, '/hook', String(record.log_id));
    }
    await page.getByText('live, 5 requests').waitFor();
    expect(await rows().count()).toBe(5);
    expect(await rows().first().textContent()).toContain('ss');
    await page.getByRole('heading', { name: '#5 POST /hook' }).waitFor();
    expect(await page.locator('pre').textContent()).toContain('"type": "ss"');
    expect(await rows().nth(2).textContent()).toContain('500');
  });

  it('can be used with the keyboard alone: through the list, into the filter', async () => {
    await rows().first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await current()).toBe('#3');
    await page.getByRole('heading', { name: '#3 POST /hook' }).waitFor();
    await page.keyboard.press('End');
    expect(await current()).toBe('#1');
    // What comes does not take away what somebody reads.
    await send({ type: 'w' });
    await page.getByText('live, 6 requests').waitFor();
    expect(await current()).toBe('#1');
    await page.keyboard.press('/');
    await page.keyboard.type('limit');
    expect(await rows().count()).toBe(1);
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    expect(await rows().count()).toBe(6);
  });

  it('shows what strangers sent as text', async () => {
    await send({ type: '<img src=x onerror=alert(1)>' }, '/<script>alert(1)</script>');
    await rows().first().click();
    await page.getByRole('heading', { name: '/%3Cscript%3Ealert(1)' }).waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  it('keeps the rules of axe-core and fits, on phones and desktops, in both themes', async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await rows().nth(3).click();
    for (const colorScheme of THEMES)
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        if (width === 360) expect(await violations(page, axe)).toEqual([]);
        if ((width === 360) === (colorScheme === 'dark')) await save(page, `request-bin-${colorScheme}-${width}`);
      }
    await page.setViewportSize({ width: 360, height: 800 });
    await page.getByRole('button', { name: 'All requests' }).click();
    expect(await rows().first().isVisible()).toBe(true);
    expect(await page.locator('#detail').isVisible()).toBe(false);
    expect(await violations(page, axe)).toEqual([]);
  });

  it('is emptied', async () => {
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Nothing has come yet').waitFor();
    expect(complaints).toEqual([]);
  });
});

async function violations(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe);
  const result: { violations: { id: string; nodes: { html: string }[] }[] } = await page.evaluate('axe.run()');
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Pictures to look at: UPDATE_SCREENSHOTS=1 writes them. */
async function save(page: Page, name: string): Promise<void> {
  if (process.env.UPDATE_SCREENSHOTS !== '1') return;
  await mkdir(SCREENSHOTS, { recursive: true });
  const picture = await page.screenshot({ caret: 'hide', animations: 'disabled' });
  await writeFile(`${SCREENSHOTS}${name}.png`, smallPng(picture));
}
