import type { Demo } from '../start/start-everything.ts';

/** A sentence of the requirements that this demo keeps, and how that is seen. It fails by throwing. */
export interface Check {
  readonly id: string;
  readonly what: string;
  readonly run: (demo: Demo) => Promise<void>;
}

/** One line each; true where all hold. A check that failed stops no other. */
export async function runChecks(checks: readonly Check[], demo: Demo, print: (line: string) => void): Promise<boolean> {
  let allHold = true;
  for (const { id, what, run } of checks) {
    const began = performance.now();
    const fault = await run(demo).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    print(`${id.padEnd(8)} ${fault === undefined ? 'ok    ' : 'FAILED'} ${what} (${seconds} s)`);
    if (fault === undefined) continue;
    allHold = false;
    print(`         ${fault.replaceAll('\n', '\n         ')}`);
  }
  return allHold;
}
