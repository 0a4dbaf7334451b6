import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, lstat, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { copyOpenly, isOpen } from './open-copy.ts';

/** Where root keeps what it made for other accounts, as the file system's standard has it. */
const FOLDER = '/var/cache/gatewright';
const DAY = 86_400_000;
const UNUSED_DAYS = 30;

/** Copies of what only root can enter, for accounts that run tenant code: made once, and used by all servers of this machine. */
export interface KeptCopies {
  /** The path of the copy; undefined where none can be kept, or what is copied does not say when it changes. */
  reach(path: string): Promise<string | undefined>;
  stop(): void;
}

export function createKeptCopies(folder = FOLDER): KeptCopies {
  const used = new Set<string>();
  let touching: NodeJS.Timeout | undefined;

  return {
    async reach(path) {
      const key = await keyOf(path);
      if (key === undefined || !(await isOurs())) return undefined;
      const copy = join(folder, `${basename(path)}-${key}`);
      if (!(await isThere(copy))) await make(path, copy);
      used.add(copy);
      await touch(copy);
      // A server may run for longer than what is unused is kept.
      touching ??= setInterval(() => void Promise.all([...used].map(touch)), DAY).unref();
      await removeUnused();
      return copy;
    },
    stop: () => clearInterval(touching),
  };

  /** Complete when it has its name; of two servers that make one at once, both use that of the first. */
  async function make(path: string, copy: string): Promise<void> {
    const draft = join(folder, `.${randomBytes(8).toString('hex')}`);
    try {
      await copyOpenly(path, draft);
      await rename(draft, copy).catch(async (cause) => {
        if (!(await isThere(copy))) throw cause;
      });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  /** What others may write into is no place for what containers run. */
  async function isOurs(): Promise<boolean> {
    try {
      await mkdir(folder, { recursive: true });
      const { uid, mode } = await lstat(folder);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return false;
      // The umask of the server is 077.
      await chmod(folder, 0o755);
      return await isOpen(folder);
    } catch {
      return false;
    }
  }

  /** Of earlier versions, and of servers that were killed in the middle of it. */
  async function removeUnused(): Promise<void> {
    const now = Date.now();
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: now }));
      if (now - mtimeMs < UNUSED_DAYS * DAY) continue;
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What npm writes last tells whether anything of a folder of modules has changed; of a program its change time does. */
async function keyOf(path: string): Promise<string | undefined> {
  const stats = await stat(path);
  const lock = join(path, 'node_modules/.package-lock.json');
  try {
    const content = stats.isDirectory()
      ? [await readFile(lock), await readFile(join(path, 'package.json')), String((await stat(lock)).ctimeMs)]
      : [path, String(stats.size), String(stats.ctimeMs)];
    const hash = createHash('sha256');
    for (const piece of content) hash.update(piece).update('\0');
    return hash.digest('hex').slice(0, 32);
  } catch {
    return undefined;
  }
}
