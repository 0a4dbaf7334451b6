import { describe, it } from 'vitest';

/**
 * `describe` for tests that need something of the machine. `missing` says what is not there and how to get it: then the run says
 * what it left out, and with CI=true it fails.
 */
export function describeWhere(missing: string | undefined, title: string, define: () => void): void {
  if (missing === undefined) describe(title, define);
  else if (process.env.CI === 'true')
    it(title, () => {
      throw new Error(`Left out, since ${missing}.`);
    });
  else {
    process.stderr.write(`Left out, since ${missing}: ${title}\n`);
    describe.skip(title, define);
  }
}
