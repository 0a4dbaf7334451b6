import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { KeptCopies } from './kept-copies.ts';
import { copyOpenly, isOpen } from './open-copy.ts';

const PREFIX = 'gw-containers-';

/** A folder that every account may enter: an empty place to run in, and copies that can't be kept for longer. */
export interface RunFolder {
  readonly path: string;
  /** Where containers run: nobody may write there. */
  readonly empty: string;
  /** The path by which another account reaches a program or folder of ours. */
  reach(path: string): Promise<string>;
  remove(): Promise<void>;
}

export async function makeRunFolder(copies: KeptCopies): Promise<RunFolder> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const empty = join(folder, 'empty');
  await mkdir(empty);
  // The umask of the server is 077.
  await chmod(folder, 0o755);
  await chmod(empty, 0o555);
  return {
    path: folder,
    empty,
    async reach(path) {
      if (await isOpen(path)) return path;
      const kept = await copies.reach(path);
      if (kept !== undefined) return kept;
      const copy = join(folder, basename(path));
      await copyOpenly(path, copy);
      return copy;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Of servers that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? /^\d+/.exec(name.slice(PREFIX.length))?.[0] : undefined;
    if (pid === undefined || (await isAlive(pid))) continue;
    const path = join(tmpdir(), name);
    if (await isOurs(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** In a folder of somebody else a link may take the place of what is about to be removed: root would remove what is behind it. */
async function isOurs(path: string): Promise<boolean> {
  const about = await lstat(path).catch(() => undefined);
  return about !== undefined && about.uid === process.getuid?.() && about.isDirectory();
}

async function isAlive(pid: string): Promise<boolean> {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}

/** The first of these programs that is there. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin']) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}
