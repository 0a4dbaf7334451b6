import { type ChildProcess, spawn } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Binaries, environment } from './binaries.ts';
import { readFrom, startFailure } from './failure.ts';
import type { Identity } from './identity.ts';
import { isAlive, readPidFile } from './pid-file.ts';

export interface Postmaster {
  readonly pid: number;
  /** Resolves with the reason when the process ended. */
  readonly exited: Promise<string>;
}

export interface Place {
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly cluster: string;
  readonly logFile: string;
}

/** Crash recovery may take minutes after much writing; PostgreSQL ends by itself when it can't. */
const START_PATIENCE_MS = 600_000;
const LOG_LIMIT = 4 * 1024 * 1024;

/** Starts PostgreSQL and waits until it takes connections. */
export async function launchPatiently(place: Place, signal?: AbortSignal): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(place, signal);
    } catch (cause) {
      // The children of a killed postmaster need a moment to notice.
      const isHeld = cause instanceof Error && /shared memory block .* is still in use/.test(cause.message);
      if (!isHeld || attempt === 50 || signal?.aborted) throw cause;
      await sleep(100);
    }
  }
}

async function launch({ binaries, identity, cluster, logFile }: Place, signal?: AbortSignal): Promise<Postmaster> {
  const command = identity.command(binaries.postgres, cluster);
  await turnOver(logFile);
  const log = await open(logFile, 'a', 0o600);
  const { size } = await log.stat();
  const child = spawn(command.file, [...command.args, '-D', command.cluster], {
    ...command.user,
    cwd: cluster,
    // A session of its own: Ctrl-C on the terminal reaches the server alone, which stops PostgreSQL when it has drained.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: environment(binaries),
  });
  const exited = exitOf(child);
  // Recovery may take long, and a stop does not wait for it: the next start recovers.
  const giveUp = () => child.kill('SIGQUIT');
  signal?.addEventListener('abort', giveUp, { once: true });
  void exited.then(() => signal?.removeEventListener('abort', giveUp));
  await log.close();
  let ended: string | undefined;
  void exited.then((reason) => {
    ended = reason;
  });
  const deadline = Date.now() + START_PATIENCE_MS;
  for (;;) {
    if (ended !== undefined) throw startFailure(cluster, new Error(ended), await readFrom(logFile, size));
    const file = await readPidFile(cluster);
    if (child.pid !== undefined && file?.pid === child.pid && file.state === 'ready') return { pid: child.pid, exited };
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw startFailure(cluster, new Error('it was not ready within ten minutes'), await readFrom(logFile, size));
    }
    await sleep(10);
  }
}

/** A process that we did not start tells nobody when it ends. */
export function watchForeign(pid: number): Postmaster {
  const exited = (async () => {
    while (await isAlive(pid)) await sleep(250);
    return 'it was gone';
  })();
  return { pid, exited };
}

/** Fast shutdown: ends the connections, writes everything, ends. Then harder, since a kill loses nothing either. */
export async function shutDown(pid: number): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', 8_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      if (!(await isAlive(pid))) return;
      await sleep(10);
    }
  }
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

async function turnOver(logFile: string): Promise<void> {
  const found = await stat(logFile).catch(() => undefined);
  if (found && found.size > LOG_LIMIT) await rename(logFile, `${logFile}.1`);
}
