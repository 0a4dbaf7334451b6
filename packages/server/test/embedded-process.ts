import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';

export interface EmbeddedProcess {
  /** The process that plays the server, not PostgreSQL's. */
  readonly pid: number;
  readonly postgres: { pid: number; url: string; adopted: boolean };
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts the embedded PostgreSQL from a process of its own, which can then be killed. */
export async function startInProcess(
  dataDir: string,
  { uid, gid }: { uid?: number; gid?: number } = {},
): Promise<EmbeddedProcess> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line);
    if (said.error) {
      await exited;
      throw new Error(said.error);
    }
    return {
      pid: child.pid ?? 0,
      postgres: said,
      async end(signal) {
        child.kill(signal);
        await exited;
      },
    };
  }
  throw new Error('The process ended without a word.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const embedded = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '', log: () => {} });
    process.stdout.write(`${JSON.stringify({ pid: embedded.pid, url: embedded.url, adopted: embedded.adopted })}\n`);
    process.once('SIGTERM', () => embedded.stop().then(() => process.exit(0)));
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`);
  }
}
