import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, readPidFile, worksIn } from './pid-file.ts';
import { shutDown } from './postmaster.ts';
import { isSocketFolder } from './socket-folder.ts';

export interface Survivor {
  readonly pid: number;
  readonly socketFolder: string;
}

/**
 * The PostgreSQL that a killed server left running on this cluster. We hold the data folder's lock, so nobody else
 * uses it. One that does not answer is stopped, and a dead one is tidied up after.
 */
export async function findSurvivor(
  cluster: string,
  answers: (socketFolder: string) => Promise<boolean>,
): Promise<Survivor | undefined> {
  const file = await settled(cluster);
  if (file === undefined) return undefined;
  const { pid, socketFolder, state } = file;
  if (await isAlive(pid)) {
    const ours = await worksIn(pid, cluster);
    if (ours !== false && state === 'ready' && (await answers(socketFolder))) return { pid, socketFolder };
    if (ours === undefined) {
      throw new Error(
        `A PostgreSQL (process ${pid}) seems to run on ${cluster}, and does not answer. Stop that process if it is a PostgreSQL; otherwise delete ${cluster}/postmaster.pid. Then start again.`,
      );
    }
    if (ours) await shutDown(pid);
  }
  if (isSocketFolder(socketFolder)) await rm(socketFolder, { recursive: true, force: true });
  return undefined;
}

/** A survivor may be in the middle of its own start. */
async function settled(cluster: string) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const file = await readPidFile(cluster);
    const isSettled = file === undefined || file.state === 'ready' || file.state === 'stopping';
    if (isSettled || Date.now() > deadline || !(await isAlive(file.pid)) || !(await worksIn(file.pid, cluster)))
      return file;
    await sleep(50);
  }
}
