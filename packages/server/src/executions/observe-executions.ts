import type { Containers, Job, Outcome, ThrownError } from '../containers/job.ts';
import { createMask } from '../containers/mask-values.ts';
import { isObject } from '../kit/json-values.ts';
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
          id: outcome.executionId,
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

function withoutSecrets(job: Job, outcome: Outcome): Outcome {
  const error = outcome.ok ? undefined : outcome.failure.error;
  if (outcome.console.length + outcome.warnings.length === 0 && !error) return outcome;
  const mask = createMask(job);
  const texts = {
    console: keptLines(outcome.console, mask),
    warnings: outcome.warnings.map((warning) => ({ ...warning, text: mask(warning.text) })),
  };
  if (outcome.ok || !error) return { ...outcome, ...texts };
  const logged = masked(error, mask);
  const { part } = outcome.failure;
  return {
    ...outcome,
    ...texts,
    // Code that can't be compiled prints nothing of itself.
    ...(logged.place &&
      logged.stack && { console: [...texts.console, { level: 'error', text: logged.stack, ...(part && { part }) }] }),
    failure: { ...outcome.failure, error: toldError(job, error, logged), logged },
  };
}

/** What scripts of a database throw for the people who log in; their other errors are for the log alone. */
const FOR_PEOPLE = new Set(['UnauthorizedError', 'ValidationError']);

/**
 * The message stays as it is where it may be the author's word to people: a support address stands in a configuration, too.
 * The log has what scripts of a database say in it as well, so that at least the password that was typed is hidden there.
 */
function toldError(job: Job, error: ThrownError, logged: ThrownError): ThrownError {
  if (job.kind !== 'database') return { ...error, ...(logged.stack !== undefined && { stack: logged.stack }) };
  if (!FOR_PEOPLE.has(error.name)) return logged;
  const { arguments: given } = isObject(job.input) ? job.input : {};
  return {
    ...masked(error, createMask({ ...job, input: { arguments: given } })),
    ...(logged.stack !== undefined && { stack: logged.stack }),
  };
}

function masked(error: ThrownError, mask: (text: string) => string): ThrownError {
  const { message, code, description, stack, place } = error;
  return {
    ...error,
    message: mask(message),
    ...(code !== undefined && { code: mask(code) }),
    ...(description !== undefined && { description: mask(description) }),
    ...(stack !== undefined && { stack: mask(stack) }),
    ...(place && { place: { ...place, source: mask(place.source) } }),
  };
}
