import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

/**
 * One holder of a file on this machine, and on others that share its disk; undefined where somebody has it. SQLite's
 * exclusive lock is the kernel's: it ends with the process however that ends, so there is no stale lock to take over and
 * no race in taking it. The file itself stays.
 */
export function lockFile(path: string): FileLock | undefined {
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  const database = new DatabaseSync(path);
  try {
    database.exec('begin exclusive');
  } catch (cause) {
    database.close();
    if (isBusy(cause)) return undefined;
    throw cause;
  }
  return {
    release(): void {
      if (database.isOpen) database.close();
    },
  };
}

/** Only looks: who asks is in nobody's way. */
export function isLocked(path: string): boolean {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.prepare('select count(*) from sqlite_schema').get();
    } finally {
      database.close();
    }
  } catch (cause) {
    return isBusy(cause);
  }
  return false;
}

const isBusy = (cause: unknown): boolean => cause instanceof Error && 'errcode' in cause && cause.errcode === 5;
