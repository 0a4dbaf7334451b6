import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

/** Debian's Chromium, or undefined: then the run leaves the browser's tests out, and with CI=true fails. */
export const chromiumPath = PLACES.find((path) => existsSync(path));
export const isChromiumNeeded = process.env.CI === 'true';

export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined)
    throw new Error('No Chromium: install the package chromium (apt-get install chromium).');
  return chromium.launch({ executablePath: chromiumPath, headless: true, args: ARGUMENTS });
}
