import { failRun } from './catch-uncaught.ts';
import { currentRun } from './current-run.ts';

/** A throw in a timer belongs to the job that set it; the event that tells of it later does not say whose it was. */
export function guardTimers(): void {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) {
    const original: unknown = Reflect.get(globalThis, name);
    if (typeof original !== 'function') continue;
    const guarded = (work: unknown, ...rest: unknown[]): unknown =>
      Reflect.apply(original, globalThis, [typeof work === 'function' ? guard(work) : work, ...rest]);
    // util.promisify finds the promise form of a timer on it.
    for (const key of Object.getOwnPropertySymbols(original)) Reflect.set(guarded, key, Reflect.get(original, key));
    Reflect.set(globalThis, name, guarded);
  }
}

function guard(work: object) {
  const run = currentRun();
  return function (this: unknown, ...items: unknown[]): unknown {
    try {
      return Reflect.apply(work as (...all: unknown[]) => unknown, this, items);
    } catch (cause) {
      return failRun(cause, run);
    }
  };
}
