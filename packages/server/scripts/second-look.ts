import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { FailedRun } from '../test/failed-files.ts';

/** More files that fail at once are no accident. */
const MOST_FILES = 3;

/**
 * Runs the failed files of a run once more, by themselves: `npm run test:again -- <what TEST_REPORT named>`. What passes now depends on how
 * busy the machine was; it is named, and somebody's next task. What fails again is broken, and so is a run that did not come to its end
 * or that had an error outside of its tests.
 */
function lookAgain({ files, strayErrors }: FailedRun): number {
  if (strayErrors > 0) return refuse(`${strayErrors} errors were outside of tests.`);
  if (files.length === 0) return refuse('The run failed, and no test did: its output says why.');
  if (files.length > MOST_FILES) return refuse(`${files.length} files failed: too many to be an accident.`);
  const names = files.join(', ');
  console.error(`\nOnce more, by themselves: ${names}`);
  const { status } = spawnSync('npx', ['vitest', 'run', ...files], { stdio: 'inherit' });
  if (status !== 0) return refuse('They failed again.');
  console.error(`\nFLAKY: ${names}. They passed by themselves, and come next: CONTRIBUTING.md, what a test holds on.`);
  return 0;
}

function readReport(path: string): FailedRun | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function refuse(reason: string): number {
  console.error(`\n${reason}`);
  return 1;
}

const [path = ''] = process.argv.slice(2);
const run = readReport(path);
process.exitCode = run ? lookAgain(run) : refuse('There is no report: the run did not come to its end.');
