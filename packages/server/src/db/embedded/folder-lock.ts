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
  const holder = holderFile(dataDir);
  const database = acquire(dataDir);
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

/**
 * Who holds the folder, ` (process 7, started …)`; undefined where nobody does. A killed server leaves its pid file behind:
 * the lock decides, which is only looked at, so that no start runs into it.
 */
export function holderOf(dataDir: string): string | undefined {
  const text = describe(holderFile(dataDir));
  if (!text) return undefined;
  try {
    const database = new DatabaseSync(join(dataDir, 'gatewright.lock'), { readOnly: true });
    try {
      database.prepare('select count(*) from sqlite_schema').get();
    } finally {
      database.close();
    }
  } catch (cause) {
    if (isBusy(cause)) return text;
  }
  return undefined;
}

function acquire(dataDir: string): DatabaseSync {
  const path = join(dataDir, 'gatewright.lock');
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  const database = new DatabaseSync(path);
  try {
    database.exec('begin exclusive');
    return database;
  } catch (cause) {
    database.close();
    if (isBusy(cause)) throw new Error(inUse(dataDir));
    throw new Error(
      `The data folder ${dataDir} can't be locked: ${String(cause)}. Its file system must support locks.`,
      {
        cause,
      },
    );
  }
}

const isBusy = (cause: unknown): boolean => cause instanceof Error && 'errcode' in cause && cause.errcode === 5;

export function inUse(dataDir: string): string {
  const who = `The data folder ${dataDir} is in use by another Gatewright${describe(holderFile(dataDir))}.`;
  return `${who} Stop that one first, or give this one a folder of its own with GATEWRIGHT_DATA_DIR.`;
}

const holderFile = (dataDir: string) => join(dataDir, 'gatewright.pid');

function describe(holder: string): string {
  try {
    const [pid, since] = readFileSync(holder, 'utf8').split('\n');
    return pid && since ? ` (process ${pid}, started ${since})` : '';
  } catch {
    return '';
  }
}
