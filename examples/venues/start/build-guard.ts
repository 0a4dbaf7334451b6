import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Processes } from './processes.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKAGE = join(ROOT, 'packages/api-guard');
const DIST = join(PACKAGE, 'dist');

/** The services import the package as it is published. It is built where that is missing, or older than its source. */
export async function buildGuard(processes: Processes): Promise<void> {
  if (await isBuilt()) return;
  // In a folder that nobody watches, and moved as a whole: who starts at this moment does not find half of it.
  const draft = join(PACKAGE, 'node_modules', `.dist-${process.pid}`);
  const old = `${draft}-old`;
  try {
    await processes.run({
      name: 'The build of @gatewright/api-guard',
      args: [
        join(ROOT, 'node_modules/typescript/bin/tsc'),
        ...['-p', join(PACKAGE, 'tsconfig.build.json'), '--outDir', draft],
      ],
      cwd: PACKAGE,
    });
    // Another demo may have been faster.
    if (await isBuilt()) return;
    if (existsSync(DIST)) await rename(DIST, old);
    await rename(draft, DIST);
  } finally {
    for (const folder of [draft, old]) await rm(folder, { recursive: true, force: true });
  }
}

async function isBuilt(): Promise<boolean> {
  const built = join(DIST, 'api-guard.js');
  return existsSync(built) && (await stat(built)).mtimeMs >= (await newestChange());
}

async function newestChange(): Promise<number> {
  const folder = join(PACKAGE, 'src');
  const names = await readdir(folder, { recursive: true });
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return Math.max(...times);
}
