import { currentRun } from './current-run.ts';
import { describeThrown } from './thrown.ts';
import { send } from './wire.ts';

/** A throw in a timer or an emitter, a promise that nobody waits for: its job fails, others go on. */
export function catchUncaught(): void {
  process.on('uncaughtException', (cause: unknown) => fail(cause));
  process.on('unhandledRejection', (cause: unknown) => fail(cause));
}

function fail(cause: unknown): void {
  const run = currentRun();
  if (!run) return;
  const error = describeThrown(cause);
  if (run.isOver) return run.warn('uncaught', `${error.name}: ${error.message}`);
  run.isOver = true;
  send({ type: 'failed', id: run.id, ...(run.part && { part: run.part }), error });
}
