import { isBuiltin } from 'node:module';
import { join } from 'node:path';

// Which modules are at hand, in which versions. Containers read it, and so do the server and the command line.
// Deno takes its time to load node:fs: a container that requires nothing starts without it.

/** Folders of modules; one that is not there holds none. */
export interface ModuleStores {
  /** The checkout's own: one package.json, one lock file, `npm ci`. */
  readonly curated?: string | undefined;
  /** What the operator added: a folder `<name>@<version>` each, complete in itself. */
  readonly added?: string | undefined;
}

export interface StoredModule {
  readonly name: string;
  readonly version: string;
  readonly isAdded: boolean;
  /** `specifier`, required by a file of this folder, is the module. */
  readonly folder: string;
  readonly specifier: string;
}

export interface ModuleTable {
  /** Without a version: the default one. */
  find(name: string, version?: string): StoredModule | undefined;
  /** All of them, versions of one name together, its default first. */
  readonly modules: readonly StoredModule[];
}

export function readModuleTable({ curated, added }: ModuleStores): ModuleTable {
  const chosen = added === undefined ? {} : readJson(join(added, DEFAULTS));
  const byName = new Map<string, StoredModule[]>();
  for (const module of [...curatedModules(curated), ...addedModules(added)]) {
    const versions = byName.get(module.name) ?? [];
    if (versions.some(({ version }) => version === module.version)) continue;
    if (chosen[module.name] === module.version) versions.unshift(module);
    else versions.push(module);
    byName.set(module.name, versions);
  }
  return {
    find(name, version) {
      const versions = byName.get(name) ?? [];
      return version === undefined ? versions[0] : versions.find((module) => module.version === version);
    },
    modules: [...byName.keys()].toSorted().flatMap((name) => byName.get(name) ?? []),
  };
}

/** In the folder of added modules: `{ "<name>": "<version>" }`, where `require('<name>')` gets another than ours. */
export const DEFAULTS = 'defaults.json';

/** The name of the folder of an added module; a scope's slash would make two folders of it. */
export function folderOf(name: string, version: string): string {
  return `${name.replace('/', '+')}@${version}`;
}

/**
 * package.json is the table: the default version under the plain name, so that other packages share it, further ones
 * beside it as `<name>-<version>`. Names of Node's own modules have such names only.
 */
function curatedModules(folder: string | undefined): StoredModule[] {
  if (folder === undefined) return [];
  const { dependencies } = readJson(join(folder, 'package.json'));
  if (typeof dependencies !== 'object' || dependencies === null) return [];
  const modules = Object.entries(dependencies).map(([specifier, wanted]) => {
    const [, name = specifier, version = String(wanted)] = ALIAS.exec(String(wanted)) ?? [];
    return { name, version, isAdded: false, folder, specifier };
  });
  return modules.toSorted((one, other) => Number(other.specifier === other.name) - Number(one.specifier === one.name));
}

const ALIAS = /^npm:(.+)@([^@]+)$/;

function addedModules(folder: string | undefined): StoredModule[] {
  if (folder === undefined) return [];
  return listFolder(folder).flatMap((entry) => {
    const [, name, version] = ADDED.exec(entry) ?? [];
    if (name === undefined || version === undefined) return [];
    const plain = name.replace('+', '/');
    // Node's own module of the name would answer.
    const specifier = isBuiltin(plain) ? `${plain}/` : plain;
    return [{ name: plain, version, isAdded: true, folder: join(folder, entry), specifier }];
  });
}

const ADDED = /^((?:@[^@+]+\+)?[^@+.][^@+]*)@([^@]+)$/;

function listFolder(folder: string): string[] {
  try {
    return process.getBuiltinModule('node:fs').readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

function readJson(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(process.getBuiltinModule('node:fs').readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
