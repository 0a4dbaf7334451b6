import type { EventEmitter } from 'node:events';
import { failRun } from './catch-uncaught.ts';
import { currentRun } from './current-run.ts';

/**
 * What a listener of a connection throws, and an error that nobody listens for, belong to the job that connected: Deno's
 * event for uncaught errors does not say whose they were, and that job would wait until its limit.
 */
export function guardEmits(emitter: EventEmitter): void {
  const run = currentRun();
  if (!run) return;
  const { emit } = emitter;
  emitter.emit = function (this: unknown, ...items) {
    try {
      return Reflect.apply(emit, this, items);
    } catch (cause) {
      failRun(cause, currentRun() ?? run);
      return true;
    }
  };
}
