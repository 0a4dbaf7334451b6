import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataFolder } from '../src/db/embedded/folder-lock.ts';
import { isAlive, readPidFile, worksIn } from '../src/db/embedded/pid-file.ts';
import { shutDown } from '../src/db/embedded/postmaster.ts';
import { isSocketFolder } from '../src/db/embedded/socket-folder.ts';

export const FOLDER_PREFIX = 'gatewright-test-';

/** Ends and removes what runs left that were killed. A live run holds the lock of its folder. */
export async function removeDeadRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    // The log is younger than the lock: a run that has just made its folder is none of our business.
    if (!name.startsWith(FOLDER_PREFIX) || !existsSync(join(folder, 'postgres.log'))) continue;
    const lock = await lockDataFolder(folder).catch(() => undefined);
    if (lock === undefined) continue;
    await endSurvivor(join(folder, 'pg'));
    lock.release();
    await rm(folder, { recursive: true, force: true });
  }
}

async function endSurvivor(cluster: string): Promise<void> {
  const file = await readPidFile(cluster);
  if (file === undefined) return;
  if ((await isAlive(file.pid)) && (await worksIn(file.pid, cluster))) await shutDown(file.pid);
  if (isSocketFolder(file.socketFolder)) await rm(file.socketFolder, { recursive: true, force: true });
}
