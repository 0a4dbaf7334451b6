import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type ModuleTable, readModuleTable, type StoredModule } from './module-table.ts';

/** The folders of modules are this program's arguments; an empty one is none. */
const [curated, added] = process.argv.slice(2).map((folder) => folder || undefined);

let table: ModuleTable | undefined;
const requires = new Map<string, NodeJS.Require>();

/** A module of the store; the default version where none is given. `path`: `/get` of `lodash/get`. */
export function requireStored(name: string, version?: string, path = ''): unknown {
  const { folder, specifier } = find(name, version);
  return requireIn(folder)(path === '' ? specifier : `${specifier.replace(/\/$/, '')}${path}`);
}

function find(name: string, version: string | undefined): StoredModule {
  table ??= readModuleTable({ curated, added });
  const known = table.find(name, version);
  if (known) return known;
  // The operator may have added it since.
  table = readModuleTable({ curated, added });
  const isNew = table.find(name, version);
  if (isNew) return isNew;
  throw moduleNotFound(explain(table, name, version));
}

function explain(read: ModuleTable, name: string, version: string | undefined): string {
  if (read.modules.length === 0)
    return `Cannot find module '${name}': the module store is not installed. The operator runs in the folder module-store: npm ci --ignore-scripts`;
  const versions = read.modules.filter((module) => module.name === name).map((module) => module.version);
  const asked = version === undefined ? name : `${name}@${version}`;
  const has = versions.length === 0 ? 'which has no version of it' : `which has ${versions.join(', ')}`;
  return `Cannot find module '${asked}' in the module store, ${has}. The operator adds it with: gatewright modules add ${name}@${version ?? '<version>'}`;
}

function requireIn(folder: string): NodeJS.Require {
  const known = requires.get(folder) ?? createRequire(join(folder, 'tenant-code.js'));
  requires.set(folder, known);
  return known;
}

export function moduleNotFound(message: string): Error {
  return Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });
}
