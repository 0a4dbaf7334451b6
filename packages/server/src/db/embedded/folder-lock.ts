import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileLock, isLocked, lockFile } from '../../kit/file-lock.ts';

export type FolderLock = FileLock;

/** One Gatewright per data folder. Who holds it is written beside the lock. */
export async function lockDataFolder(dataDir: string): Promise<FolderLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const holder = holderFile(dataDir);
  const lock = acquire(dataDir);
  let isHeld = true;
  try {
    writeFileSync(holder, `${process.pid}\n${new Date().toISOString()}\n`, { mode: 0o600 });
  } catch (cause) {
    lock.release();
    throw cause;
  }
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      rmSync(holder, { force: true });
      lock.release();
    },
  };
}

/**
 * Who holds the folder, ` (process 7, started …)`; undefined where nobody does. A killed server leaves its pid file behind:
 * the lock decides, which is only looked at, so that no start runs into it.
 */
export function holderOf(dataDir: string): string | undefined {
  const text = describe(holderFile(dataDir));
  return text && isLocked(lockPath(dataDir)) ? text : undefined;
}

function acquire(dataDir: string): FolderLock {
  let lock: FolderLock | undefined;
  try {
    lock = lockFile(lockPath(dataDir));
  } catch (cause) {
    if (!(cause instanceof Error && 'errcode' in cause)) throw cause;
    throw new Error(
      `The data folder ${dataDir} can't be locked: ${String(cause)}. Its file system must support locks.`,
      { cause },
    );
  }
  if (!lock) throw new Error(inUse(dataDir));
  return lock;
}

export function inUse(dataDir: string): string {
  const who = `The data folder ${dataDir} is in use by another Gatewright${describe(holderFile(dataDir))}.`;
  return `${who} Stop that one first, or give this one a folder of its own with GATEWRIGHT_DATA_DIR.`;
}

const lockPath = (dataDir: string) => join(dataDir, 'gatewright.lock');
const holderFile = (dataDir: string) => join(dataDir, 'gatewright.pid');

function describe(holder: string): string {
  try {
    const [pid, since] = readFileSync(holder, 'utf8').split('\n');
    return pid && since ? ` (process ${pid}, started ${since})` : '';
  } catch {
    return '';
  }
}
