import { randomBytes } from 'node:crypto';
import type { ConsoleLine, Failure, Job, Outcome, PartName, Warning } from './job.ts';
import type { ContainerLimits } from './limits.ts';

/** A job that a container has: what it said so far, and how it will end. */
export interface RunningJob {
  readonly id: string;
  readonly job: Job;
  part: PartName | undefined;
  /** How deep it is: 0, or 1 where a job of the same tenant began it through the tunnel. */
  readonly depth: number;
  /** Calls through the tunnel. */
  calls: number;
  /** Every line that it writes costs; false where it writes more than it may. */
  spend(text?: string): boolean;
  takeConsole(level: string, text: string): void;
  takeWarning(warning: Warning): void;
  succeed(result: unknown): void;
  fail(failure: Failure): void;
  readonly outcome: Promise<Outcome>;
}

const LEVELS: readonly string[] = ['log', 'info', 'warn', 'error', 'debug'] satisfies ConsoleLine['level'][];
/** What a line costs besides its text. */
const LINE_BYTES = 64;
const MOST_WARNINGS = 20;

export function createRunningJob(
  job: Job,
  { cold, depth }: { cold: boolean; depth: number },
  limits: ContainerLimits,
): RunningJob {
  const began = performance.now();
  const console: ConsoleLine[] = [];
  const warnings: Warning[] = [];
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let spent = 0;
  const ran = () => ({ console, warnings, tookMs: performance.now() - began, cold });

  const running: RunningJob = {
    id: randomBytes(16).toString('hex'),
    job,
    part: undefined,
    depth,
    calls: 0,
    spend(text = '') {
      spent += Buffer.byteLength(text) + LINE_BYTES;
      return spent <= limits.consoleBytes;
    },
    takeConsole(level, text) {
      if (isLevel(level)) console.push({ level, text, ...(running.part && { part: running.part }) });
    },
    takeWarning(warning) {
      if (warnings.length < MOST_WARNINGS) warnings.push(warning);
    },
    succeed: (result) => resolve({ ok: true, result, ...ran() }),
    fail: (failure) => resolve({ ok: false, failure: named(failure, running.part), ...ran() }),
    outcome: promise,
  };
  return running;
}

/** An outcome of a job that no container has seen. */
export function refused(failure: Failure, tookMs = 0): Outcome {
  return { ok: false, failure, console: [], warnings: [], tookMs, cold: false };
}

function named(failure: Failure, part: PartName | undefined): Failure {
  return failure.part || !part ? failure : { ...failure, part };
}

function isLevel(level: string): level is ConsoleLine['level'] {
  return LEVELS.includes(level);
}
