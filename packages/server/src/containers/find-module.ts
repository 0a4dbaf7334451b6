import { type ModuleStores, type ModuleTable, readModuleTable } from './program/module-table.ts';

/** Long enough for a list of actions to be one read, short enough for who has just added a module. */
const KEPT_MILLISECONDS = 1_000;

/** The version of a module that actions get for the one that they ask for, if it is at hand; `latest` is the newest. */
export function createModuleFinder(stores: ModuleStores) {
  let read: { readonly table: ModuleTable; readonly at: number } | undefined;

  return async (name: string, version: string): Promise<string | undefined> => {
    const at = performance.now();
    if (read === undefined || at - read.at > KEPT_MILLISECONDS) read = { table: readModuleTable(stores), at };
    if (version !== 'latest') return read.table.find(name, version)?.version;
    const versions = read.table.modules.filter((module) => module.name === name).map((module) => module.version);
    return versions.toSorted(byAge).at(-1);
  };
}

/** A release is newer than what came before it under the same numbers: `1.0.0-beta` < `1.0.0`. */
function byAge(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split('-', 1)[0] ?? '');
  return (a ?? '').localeCompare(b ?? '', 'en', { numeric: true }) || other.length - one.length;
}
