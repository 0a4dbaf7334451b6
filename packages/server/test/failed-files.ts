import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter } from 'vitest/node';

/** What failed in a run, for whoever looks a second time. */
export interface FailedRun {
  readonly files: readonly string[];
  /** Errors that belong to no test: a promise that nobody awaited. */
  readonly strayErrors: number;
}

/** Writes a FailedRun to this path when all tests are over. */
export function failedFilesReporter(path: string): Reporter {
  return {
    onTestRunEnd(modules, errors) {
      const failed = modules.filter((module) => module.state() === 'failed').map(({ moduleId }) => moduleId);
      const files = [...new Set(failed)].map((file) => relative(process.cwd(), file));
      writeFileSync(path, JSON.stringify({ files, strayErrors: errors.length } satisfies FailedRun));
    },
  };
}
