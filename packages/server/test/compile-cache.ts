import { fileURLToPath } from 'node:url';

/** What Node compiled of the server, for all servers of all test files and runs: with it a start costs a third of the CPU time. */
export const COMPILE_CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/gatewright-compiled', import.meta.url),
);
