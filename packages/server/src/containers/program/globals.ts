import { currentRun } from './current-run.ts';

/** What tenant code finds without require, on the one global object of the container. */
export function installGlobals(): void {
  Object.defineProperty(globalThis, 'configuration', {
    configurable: true,
    get: () => currentRun()?.input.configuration ?? {},
  });
}
