import { readFile, readlink, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from './identity.ts';

/** postmaster.pid, which PostgreSQL keeps in its cluster: pid, folder, start, port, socket folder, address, shared memory, state. */
export interface PidFile {
  readonly pid: number;
  readonly socketFolder: string;
  readonly state: string;
}

export async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return { pid, socketFolder: lines[4] ?? '', state: lines[7] ?? '' };
}

/**
 * Puts our own pid in the place of a dead one's, which another program may have by now, or which nobody has buried.
 * PostgreSQL takes its parent's pid for a stale one; the other lines stay, since by them it finds out whether children of
 * the dead one still run.
 */
export async function disownPidFile(cluster: string, identity: Identity): Promise<void> {
  const path = join(cluster, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const lines = text.split('\n').slice(1);
  await writeFile(`${path}.new`, [process.pid, ...lines].join('\n'), { mode: 0o600 });
  await identity.own(`${path}.new`);
  await rename(`${path}.new`, path);
}

/** A zombie, which nobody has buried yet, is dead. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EPERM')) return false;
  }
  if (process.platform !== 'linux') return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return false;
  // The second field, in parentheses, may hold anything.
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
  return state !== 'Z' && state !== 'X';
}

/** Whether this process works in that cluster; undefined where the system does not tell. */
export async function worksIn(pid: number, cluster: string): Promise<boolean | undefined> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(cluster));
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EACCES' ? false : undefined;
  }
}
