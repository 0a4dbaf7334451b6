import type { Demo } from '../start/start-everything.ts';

/** A sentence of the requirements that this demo keeps, and how that is seen. */
export interface Check {
  readonly id: string;
  readonly what: string;
  /** Says what was seen; fails by throwing. */
  readonly run: (demo: Demo) => Promise<string>;
}

/** Two lines each; the ids of those that failed. A check that failed stops no other. */
export async function runChecks(
  checks: readonly Check[],
  demo: Demo,
  print: (line: string) => void,
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { id, what, run } of checks) {
    const began = performance.now();
    const { isOk, words } = await run(demo).then(
      (seen) => ({ isOk: true, words: seen }),
      (error: unknown) => ({ isOk: false, words: error instanceof Error ? error.message : String(error) }),
    );
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    print(`${id.padEnd(7)} ${isOk ? 'ok    ' : 'FAILED'} ${what} (${seconds} s)`);
    print(`        ${isOk ? 'seen:  ' : 'reason:'} ${words.replaceAll('\n', `\n${' '.repeat(16)}`)}`);
    if (!isOk) failed.push(id);
  }
  return failed;
}
