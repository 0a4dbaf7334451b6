import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type LaunchOptions } from 'playwright-core';
import { describeWhere } from './describe-where.ts';

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
const MISSING = 'there is no Chromium on this machine (apt-get install chromium)';

const chromiumPath = PLACES.find((path) => existsSync(path));

/** `describe` for tests in Debian's Chromium. Without it the run says what it left out, and with CI=true it fails. */
export function describeInChromium(title: string, define: () => void): void {
  describeWhere(chromiumPath === undefined ? MISSING : undefined, title, define);
}

/** Trusts, besides its own authorities, the one of this certificate file. */
export async function launchChromium({ caFile }: { caFile?: string } = {}): Promise<Browser> {
  return chromium.launch(options(caFile));
}

/** A profile, in a folder of its own, whose user lets pages in iframes have their cookies: private windows and Debian's default don't. */
export async function launchLenientProfile(
  folder: string,
  { caFile }: { caFile?: string } = {},
): Promise<BrowserContext> {
  mkdirSync(join(folder, 'Default'), { recursive: true });
  const preferences = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };
  writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify(preferences));
  return chromium.launchPersistentContext(folder, options(caFile));
}

function options(caFile: string | undefined): LaunchOptions {
  if (chromiumPath === undefined) throw new Error(`Chromium can't be started: ${MISSING}.`);
  const trust = caFile === undefined ? [] : [`--ignore-certificate-errors-spki-list=${keyHash(caFile)}`];
  return { executablePath: chromiumPath, headless: true, args: [...ARGUMENTS, ...trust] };
}

/** A chain with this key in it is trusted; the certificate's dates and names count as ever. */
function keyHash(caFile: string): string {
  const key = new X509Certificate(readFileSync(caFile)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
