import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium, launchChromium } from './chromium.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const SERVE = fileURLToPath(new URL('../../../examples/spa/serve.mjs', import.meta.url));

describeInChromium('the README’s first login by browser', () => {
  let server: ServerProcess;
  let example: ChildProcess;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    server = await startServerProcess();
    example = spawn(process.execPath, [SERVE], {
      env: { GATEWRIGHT_DATA_DIR: server.dataDir, EXAMPLE_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(example.stdout ?? example, 'data');
    url = String(printed).match(/http:\S+/)?.[0] ?? '';
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    example?.kill();
    await server?.stop();
  });

  it('logs the first user in with an unchanged auth0-spa-js, renews the token and logs out', async () => {
    const { user, api } = server.firstRun;
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('input[name=username]').fill(user.email);
    await page.locator('input[name=password]').fill(user.password);
    await page.locator('button[type=submit]').first().click();
    await page.getByText(`Hello ${user.email}`).waitFor();

    await page.getByRole('button', { name: 'Get a new token' }).click();
    await page.locator('#shown', { hasText: api.identifier }).waitFor();
    expect(await page.locator('#shown').textContent()).toContain('"gty": "refresh_token"');

    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('Nobody is logged in').waitFor();
  });

  it('is dark as a whole where the browser is', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' });
    await page.goto(url);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    // The first pixel is the page's own background, which follows the root's color-scheme and not the body's.
    const png = (await page.screenshot()).toString('base64');
    const red = await page.evaluate(`(async () => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d');
      canvas.drawImage(await createImageBitmap(await (await fetch('data:image/png;base64,${png}')).blob()), 0, 0);
      return canvas.getImageData(0, 0, 1, 1).data[0];
    })()`);
    expect(red).toBeLessThan(64);
  });

  it('hands no secret to the page', async () => {
    const settings = await (await fetch(`${url}/settings.json`)).text();
    expect(settings).toContain(server.firstRun.spa_client.client_id);
    for (const secret of [server.firstRun.user.password, server.firstRun.management.client_secret])
      expect(settings).not.toContain(secret);
  });
});
