import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';

interface Place {
  /** The operator's folder; what is below it is ours. */
  readonly root: string;
  readonly folders: readonly string[];
  readonly mostBytes: number;
  /** Older files are deleted; none is, where it is unset. */
  readonly keepDays: number | undefined;
  /** What stays free of the disk, for those that it belongs to. */
  readonly leastFreeBytes: number;
}

interface OpenFile {
  readonly path: string;
  readonly day: string;
  readonly handle: FileHandle;
}

const FOLDER = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/;
const FILE = /^(\d{4}-\d\d-\d\d)(?:\.(\d{1,6}))?\.jsonl$/;
const DAY = 86_400_000;
/** No link is followed, nobody's pipe is waited for; what others write at the same time stays whole. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEWLINE = 0x0a;

/** A file a day (UTC), or several where they get too large: 2026-11-22.jsonl, 2026-11-22.1.jsonl … */
export function createLogFile({ root, folders, mostBytes, keepDays, leastFreeBytes }: Place) {
  if (!folders.every((name) => FOLDER.test(name))) throw new Error('A stream or its tenant has no name for a folder.');
  const folder = join(root, ...folders);
  let current: OpenFile | undefined;

  /** Resolves when the lines are on the disk. */
  async function append(lines: string, now: Date): Promise<void> {
    const { handle } = await fileFor(now.toISOString().slice(0, 10), now);
    try {
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < leastFreeBytes)
        throw Object.assign(new Error('The disk is nearly full.'), { code: 'ENOSPC' });
      const { size } = await handle.stat();
      // What a process wrote that died over it was never acknowledged, and comes again as a whole.
      const bytes = Buffer.from((await endsTorn(handle, size)) ? `\n${lines}` : lines);
      const { bytesWritten } = await handle.write(bytes);
      if (bytesWritten < bytes.length) {
        // Unless somebody else has written behind it.
        if ((await handle.stat()).size === size + bytesWritten) await handle.truncate(size);
        throw Object.assign(new Error('A part of the lines was written.'), { code: 'ENOSPC' });
      }
      await handle.datasync();
    } catch (error) {
      // After a failed sync nobody knows what is on the disk: the file is opened again.
      await close();
      throw error;
    }
  }

  async function fileFor(day: string, now: Date): Promise<OpenFile> {
    if (current !== undefined && current.day === day && (await isInPlace(current))) return current;
    await close();
    await makeFolders();
    const names = await readdir(folder);
    const isNewDay = !names.some((name) => name.startsWith(day));
    const numbers = names.map((name) => FILE.exec(name)).filter((match) => match?.[1] === day);
    let number = Math.max(0, ...numbers.map((match) => Number(match?.[2] ?? 0)));
    let file = await openFile(day, number);
    if ((await file.handle.stat()).size >= mostBytes) {
      await file.handle.close();
      number++;
      file = await openFile(day, number);
    }
    current = file;
    await syncFolder(folder);
    if (isNewDay && keepDays !== undefined) await deleteBefore(new Date(now.getTime() - keepDays * DAY), names);
    return file;
  }

  async function openFile(day: string, number: number): Promise<OpenFile> {
    const path = join(folder, number === 0 ? `${day}.jsonl` : `${day}.${number}.jsonl`);
    const handle = await open(path, FLAGS, 0o600);
    const about = await handle.stat();
    if (about.isFile() && about.nlink === 1) return { path, day, handle };
    await handle.close();
    throw Object.assign(new Error('Something else is where the file belongs.'), { code: 'EEXIST' });
  }

  /** Neither full nor moved away, as by logrotate. */
  async function isInPlace({ path, handle }: OpenFile): Promise<boolean> {
    const [opened, there] = await Promise.all([handle.stat(), lstat(path).catch(() => undefined)]);
    return opened.size < mostBytes && there?.ino === opened.ino && there.dev === opened.dev;
  }

  async function makeFolders(): Promise<void> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    let path = root;
    for (const name of folders) {
      const parent = path;
      path = join(path, name);
      const isNew = await mkdir(path, { mode: 0o700 }).then(() => true, ignoreExisting);
      if (isNew) await syncFolder(parent);
      if (!(await lstat(path)).isDirectory())
        throw Object.assign(new Error('Something else is where the folder belongs.'), { code: 'ENOTDIR' });
    }
  }

  async function deleteBefore(time: Date, names: readonly string[]): Promise<void> {
    const first = time.toISOString().slice(0, 10);
    for (const name of names) {
      const day = FILE.exec(name)?.[1];
      // What can't be deleted holds no event up; the next day tries again.
      if (day !== undefined && day < first) await unlink(join(folder, name)).catch(() => undefined);
    }
  }

  async function close(): Promise<void> {
    const file = current;
    current = undefined;
    await file?.handle.close();
  }

  return { append, close };
}

async function endsTorn(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== NEWLINE;
}

/** A new name is safe once its folder is; file systems that can't do that for folders say so. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): boolean {
  if (error.code === 'EEXIST') return false;
  throw error;
}
