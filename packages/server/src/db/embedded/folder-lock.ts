import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface FolderLock {
  release(): void;
}

/**
 * One Gatewright per data folder. SQLite's exclusive lock is the kernel's: it ends with the process however that ends,
 * so there is no stale lock to take over and no race in taking it, and it counts between containers that share a disk.
 */
export async function lockDataFolder(dataDir: string): Promise<FolderLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const holder = join(dataDir, 'gatewright.pid');
  const database = acquire(dataDir, holder);
  try {
    writeFileSync(holder, `${process.pid}\n${new Date().toISOString()}\n`, { mode: 0o600 });
  } catch (cause) {
    database.close();
    throw cause;
  }
  return {
    release() {
      if (!database.isOpen) return;
      rmSync(holder, { force: true });
      database.close();
    },
  };
}

function acquire(dataDir: string, holder: string): DatabaseSync {
  const path = join(dataDir, 'gatewright.lock');
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  const database = new DatabaseSync(path);
  try {
    database.exec('begin exclusive');
    return database;
  } catch (cause) {
    database.close();
    const isBusy = cause instanceof Error && 'errcode' in cause && cause.errcode === 5;
    if (isBusy) throw new Error(inUse(dataDir, holder), { cause });
    throw new Error(
      `The data folder ${dataDir} can't be locked: ${String(cause)}. Its file system must support locks.`,
      {
        cause,
      },
    );
  }
}

function inUse(dataDir: string, holder: string): string {
  const who = `The data folder ${dataDir} is in use by another Gatewright${describe(holder)}.`;
  return `${who} Stop that one first, or give this one a folder of its own with GATEWRIGHT_DATA_DIR.`;
}

function describe(holder: string): string {
  try {
    const [pid, since] = readFileSync(holder, 'utf8').split('\n');
    return pid && since ? ` (process ${pid}, started ${since})` : '';
  } catch {
    return '';
  }
}
