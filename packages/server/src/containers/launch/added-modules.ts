import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openAll } from './open-copy.ts';

/** What the operator added, where containers may read it. */
export interface AddedModules {
  /** The folder, as it is now. */
  current(): Promise<string>;
}

/**
 * The data folder is private to the server's account: containers of another one read a copy under `reachable`, brought
 * up to date before each of them starts.
 */
export function readAddedModules(folder: string, reachable: string | undefined): AddedModules {
  if (reachable === undefined) return { current: async () => folder };
  const copies = join(reachable, 'modules');
  let last: Promise<unknown> = Promise.resolve();
  return {
    async current() {
      // What could not be copied is missing; code that needs none of it still runs.
      last = last.then(copy).catch(() => undefined);
      await last;
      return copies;
    },
  };

  async function copy(): Promise<void> {
    await mkdir(copies, { recursive: true });
    await openAll(copies);
    const [there, copied] = await Promise.all([visible(folder), visible(copies)]);
    for (const gone of copied.filter((name) => !there.includes(name)))
      await rm(join(copies, gone), { recursive: true, force: true });
    for (const name of there) {
      // Of a module nothing changes but that it comes and goes; the file of defaults does.
      if (copied.includes(name) && name.includes('@')) continue;
      const draft = join(copies, `.${name}`);
      await cp(join(folder, name), draft, { recursive: true, verbatimSymlinks: true });
      await openAll(draft);
      await rename(draft, join(copies, name));
    }
  }
}

/** Without what is being added or removed at the moment. */
async function visible(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !name.startsWith('.'));
}
