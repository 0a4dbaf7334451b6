import { type ChildProcess, spawn } from 'node:child_process';
import { close, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from './identity.ts';

export interface Postmaster {
  readonly pid: number;
  readonly exited: Promise<string>;
}

/** Starts PostgreSQL and waits until it takes connections. */
export async function launch(options: {
  postgres: string;
  identity: Identity;
  cluster: string;
  logFile: string;
}): Promise<Postmaster> {
  const { file, args, ...user } = options.identity.command(options.postgres, ['-D', options.cluster]);
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(file, args, {
    ...user,
    cwd: options.cluster,
    // A session of its own: Ctrl-C on the terminal reaches the server, which stops PostgreSQL when it has drained.
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
  });
  close(log);
  const exited = exitOf(child);
  child.unref();
  let ended: string | undefined;
  void exited.then((reason) => {
    ended = reason;
  });
  for (;;) {
    if (ended !== undefined) throw new Error(`PostgreSQL ended while it started (${ended}).`);
    if (child.pid !== undefined && (await isReady(options.cluster, child.pid))) return { pid: child.pid, exited };
    await sleep(10);
  }
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** The eighth line of postmaster.pid is the state; the first tells whether this file is ours or a dead one's. */
async function isReady(cluster: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}
