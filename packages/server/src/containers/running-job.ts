import { randomBytes, randomUUID } from 'node:crypto';
import type { ApiCalls, ConsoleLine, Failure, Job, Outcome, PartName, Warning } from './job.ts';
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
  /** One of them, to the Management API: told of the part that runs now. */
  takeApiCall(): void;
  /** Every line that it writes costs; false where it writes more than it may. */
  spend(text?: string): boolean;
  takeConsole(level: string, text: string): void;
  takeWarning(warning: Warning): void;
  /** Whether one more warning is worth a record: each of them becomes an event of its own. */
  mayWarn(): boolean;
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
  const apiCalls = new Map<string, ApiCalls>();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let spent = 0;
  let warned = 0;
  const ran = () => ({
    executionId: randomUUID(),
    console,
    warnings,
    apiCalls: [...apiCalls.values()],
    tookMs: performance.now() - began,
    cold,
  });

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
    takeApiCall() {
      const { part } = running;
      if (part) apiCalls.set(part.id, { part, count: (apiCalls.get(part.id)?.count ?? 0) + 1 });
    },
    takeConsole(level, text) {
      if (isLevel(level)) console.push({ level, text, ...(running.part && { part: running.part }) });
    },
    takeWarning(warning) {
      if (running.mayWarn()) warnings.push(warning);
    },
    mayWarn: () => ++warned <= MOST_WARNINGS,
    succeed: (result) => resolve({ ok: true, result, ...ran() }),
    fail: (failure) => resolve({ ok: false, failure: named(failure, running.part), ...ran() }),
    outcome: promise,
  };
  return running;
}

/** An outcome of a job that no container has seen. */
export function refused(failure: Failure, tookMs = 0): Outcome {
  const nothing = { console: [], warnings: [], apiCalls: [], cold: false };
  return { ok: false, failure, executionId: randomUUID(), tookMs, ...nothing };
}

function named(failure: Failure, part: PartName | undefined): Failure {
  return failure.part || !part ? failure : { ...failure, part };
}

function isLevel(level: string): level is ConsoleLine['level'] {
  return LEVELS.includes(level);
}
