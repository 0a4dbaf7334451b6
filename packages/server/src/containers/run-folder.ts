import { constants } from 'node:fs';
import { access, chmod, copyFile, cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const PREFIX = 'gw-containers-';

/** A folder that every account may enter: an empty place to run in, and copies of what that account couldn't reach. */
export interface RunFolder {
  readonly path: string;
  /** Where containers run: nobody may write there. */
  readonly empty: string;
  /** The path by which another account reaches a program or folder of ours. */
  reach(path: string): Promise<string>;
  remove(): Promise<void>;
}

export async function makeRunFolder(): Promise<RunFolder> {
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
      const copy = join(folder, basename(path));
      if ((await stat(path)).isDirectory()) {
        await cp(path, copy, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
        await openAll(copy);
      } else {
        await copyFile(path, copy, constants.COPYFILE_FICLONE);
        await chmod(copy, 0o755);
      }
      return copy;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Whether everybody may enter all folders above, and read it. */
async function isOpen(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o005) !== 0o005) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

export async function openAll(path: string): Promise<void> {
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
  await chmod(path, 0o755);
}

/** Of servers that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? /^\d+/.exec(name.slice(PREFIX.length))?.[0] : undefined;
    if (pid === undefined || (await isAlive(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
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
