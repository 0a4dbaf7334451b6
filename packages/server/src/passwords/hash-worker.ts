// The program of a hash process: one request at a time, in the order of arrival. It has no state, no file and no secret of
// the server; passwords come by the channel of the parent, never by arguments or environment.
import { flushCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { type HashRequest, runHashJob } from './hash-job.ts';

/** Hashing yields to signing and to PostgreSQL whenever they want the core. */
const NICENESS = 10;

// A terminal or systemd signals the whole group; this process ends when the server, which drains first, lets go of it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));

try {
  setPriority(NICENESS);
} catch {
  // A sandbox may forbid it. Hashing then competes on equal terms.
}

// It is ended without notice: what was compiled would never be written, and each of these processes would start cold.
process.once('message', () => setImmediate(flushCompileCache));
process.on('message', (request: HashRequest) => {
  process.send?.(runHashJob(request));
});
