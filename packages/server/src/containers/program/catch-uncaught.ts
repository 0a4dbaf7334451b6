import { currentRun } from './current-run.ts';
import { describeThrown } from './thrown.ts';
import { send } from './wire.ts';

/** A throw in a timer or an emitter, a promise that nobody waits for: its job fails, others go on. */
export function catchUncaught(): void {
  process.on('uncaughtException', (cause: unknown) => failRun(cause));
  process.on('unhandledRejection', (cause: unknown) => failRun(cause));
}

export function failRun(cause: unknown, run = currentRun()): void {
  const error = describeThrown(cause);
  // In flight, and nobody knows whose it is: the server's limit ends what waits for it.
  if (!run) return;
  if (run.isOver) run.warn('uncaught', `${error.name}: ${error.message}`);
  else {
    run.isOver = true;
    send({ type: 'failed', id: run.id, ...(run.part && { part: run.part }), error });
  }
}
