import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { launchLenientProfile } from '../chromium.ts';

interface Visit {
  /** The address of the application; its page sets `window.app` or shows its first text when it is ready. */
  readonly origin: string;
  readonly caFile: string;
}

const MOST_MILLISECONDS = 20_000;

/**
 * One page of an ordinary profile, which sends cookies to other sites' frames and calls: what logins in an application's
 * own form and renewals in a hidden frame need, unless the server has the application's domain.
 */
export async function inOrdinaryProfile({ origin, caFile }: Visit, work: (page: Page) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewright-profile-'));
  const context = await launchLenientProfile(folder, { caFile });
  try {
    context.setDefaultTimeout(MOST_MILLISECONDS);
    const page = await context.newPage();
    await page.goto(origin);
    await work(page);
  } finally {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  }
}
