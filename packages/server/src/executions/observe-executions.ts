import { randomUUID } from 'node:crypto';
import type { Containers, Job, Outcome } from '../containers/job.ts';
import { createMask } from '../containers/mask-values.ts';
import type { Log } from '../kit/log.ts';
import type { ConsoleWriter } from './console-writer.ts';
import { keptLines } from './kept-console.ts';
import type { WatchApiCalls } from './watch-api-calls.ts';

interface Parts {
  readonly consoles: Pick<ConsoleWriter, 'write'>;
  readonly watchApiCalls: WatchApiCalls;
  readonly log: Log;
}

/**
 * Whatever runs in containers is seen by its author: its console is kept, and what it does too often is warned of. Those who
 * asked for the execution get its texts as they may be stored: bounded, without the secrets that the job was given.
 */
export function observeExecutions<Inner extends Pick<Containers, 'execute'>>(
  containers: Inner,
  { consoles, watchApiCalls, log }: Parts,
): Inner {
  return {
    ...containers,
    async execute(job: Job): Promise<Outcome> {
      const outcome = withoutSecrets(job, await containers.execute(job));
      if (outcome.console.length > 0)
        consoles.write({
          tenantId: job.tenantId,
          id: randomUUID(),
          kind: job.kind,
          outcome: outcome.ok ? 'ok' : outcome.failure.kind,
          tookMs: outcome.tookMs,
          lines: outcome.console,
        });
      // What is told about a login is no reason to refuse it.
      await watchApiCalls(job, outcome).catch((error) => log.error('a warning could not be recorded', { error }));
      return outcome;
    },
  };
}

/** A failure's message stays as it is: it is the author's word to the application. Its stack is for the log. */
function withoutSecrets(job: Job, outcome: Outcome): Outcome {
  const error = outcome.ok ? undefined : outcome.failure.error;
  if (outcome.console.length + outcome.warnings.length === 0 && error?.stack === undefined) return outcome;
  const mask = createMask(job);
  const texts = {
    console: keptLines(outcome.console, mask),
    warnings: outcome.warnings.map((warning) => ({ ...warning, text: mask(warning.text) })),
  };
  if (outcome.ok) return { ...outcome, ...texts };
  if (error?.stack === undefined) return { ...outcome, ...texts };
  return { ...outcome, ...texts, failure: { ...outcome.failure, error: { ...error, stack: mask(error.stack) } } };
}
