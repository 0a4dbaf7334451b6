import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Everything in a folder, with its access rights; the content of `except` is left out. */
export async function walk(folder: string, except: string) {
  const found: { path: string; mode: number; isFolder: boolean }[] = [];
  for (const path of ['.', ...(await readdir(folder, { recursive: true }))]) {
    if (path.startsWith(`${except}/`)) continue;
    const entry = await stat(join(folder, path));
    found.push({ path, mode: entry.mode & 0o777, isFolder: entry.isDirectory() });
  }
  return found;
}
