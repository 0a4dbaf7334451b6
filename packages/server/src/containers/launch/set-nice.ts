import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { promisify } from 'node:util';
import { findProgram } from './run-folder.ts';

const execute = promisify(execFile);

/**
 * Gives all threads of a process a nice value: on Linux it belongs to the thread. Root without CAP_SYS_NICE (Docker's) may not
 * touch another account's process, so that account does it; what was raised may stay raised, since only root takes it back.
 */
export async function setNice(
  pid: number,
  nice: number,
  account: { readonly uid?: number; readonly gid?: number },
): Promise<void> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [String(pid)]);
  const refused = threads.filter((thread) => !mayGive(Number(thread), nice));
  if (refused.length === 0 || account.uid === undefined) return;
  const renice = await findProgram('renice');
  // A thread that has ended meanwhile is an error like any other.
  if (renice) await execute(renice, ['-n', String(nice), '-p', ...refused], account).catch(() => undefined);
}

function mayGive(thread: number, nice: number): boolean {
  try {
    setPriority(thread, nice);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && (cause.code === 'EPERM' || cause.code === 'EACCES'));
  }
}
