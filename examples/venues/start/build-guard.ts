import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './run-process.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKAGE = join(ROOT, 'packages/api-guard');
const DIST = join(PACKAGE, 'dist');

/** The services import the package as it is published. It is built where that is missing, or older than its source. */
export async function buildGuard(): Promise<void> {
  const built = join(DIST, 'api-guard.js');
  if (existsSync(built) && (await stat(built)).mtimeMs >= (await newestChange(join(PACKAGE, 'src')))) return;
  // Beside it, so that nobody who starts at this moment finds half of it.
  const draft = join(PACKAGE, `dist-${process.pid}`);
  try {
    await runToEnd({
      args: [
        join(ROOT, 'node_modules/typescript/bin/tsc'),
        ...['-p', join(PACKAGE, 'tsconfig.build.json'), '--outDir', draft],
      ],
      cwd: PACKAGE,
    });
    await rm(DIST, { recursive: true, force: true });
    await rename(draft, DIST);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function newestChange(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return Math.max(...times);
}
