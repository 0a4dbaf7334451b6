import { constants } from 'node:fs';
import { chmod, copyFile, cp, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Copies a file or a folder so that every account may read, enter and start what is in it. */
export async function copyOpenly(path: string, copy: string): Promise<void> {
  if ((await stat(path)).isDirectory()) {
    await cp(path, copy, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
    await openAll(copy);
  } else {
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    await chmod(copy, 0o755);
  }
}

export async function openAll(path: string): Promise<void> {
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
  await chmod(path, 0o755);
}

/** Whether everybody may enter all folders above, and read it. */
export async function isOpen(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o005) !== 0o005) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
