import { AsyncResource } from 'node:async_hooks';
import { failRun } from './catch-uncaught.ts';
import { currentRun } from './current-run.ts';

/**
 * A callback that belongs to the job of now, whoever calls it: a connection that is used again outlives the job that
 * made it. What it throws fails that job; Deno would not say whose it was.
 */
export function inThisRun(callback: (...items: unknown[]) => unknown): (...items: unknown[]) => unknown {
  const run = currentRun();
  const bound = AsyncResource.bind(callback);
  return (...items) => {
    try {
      return bound(...items);
    } catch (cause) {
      return failRun(cause, run);
    }
  };
}
