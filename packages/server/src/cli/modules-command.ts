import { Command } from 'commander';
import {
  type AddedModule,
  addModule,
  moduleErrors,
  parseModule,
  removeModule,
  setDefault,
} from '../containers/add-module.ts';
import { addedModulesFolder, MODULE_STORE } from '../containers/module-folders.ts';
import { readModuleTable, type StoredModule } from '../containers/program/module-table.ts';
import { dataFolder } from './data-folder.ts';

/** `gatewright modules [ls | add | remove]`: what rules, actions and database scripts may require. */
export function modulesCommand(): Command {
  const modules = new Command('modules').description(
    'The modules that rules, actions and database scripts may require. No server has to run; one that runs has the change in its next containers.',
  );
  modules
    .command('ls', { isDefault: true })
    .description('List them: the default version first, then the others.')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      const all = table().modules;
      print(json ? JSON.stringify(all.map(toWire), null, 2) : listing(all));
    });
  modules
    .command('add <name@version>')
    .description('Install one version of a module from the npm registry, without its install scripts.')
    .option('--default', "make it the version of require('<name>')")
    .option('--json', 'print JSON')
    .action(async (given: string, options: { default?: boolean; json?: boolean }) => {
      const module = parseModule(given);
      const isThere = table().find(module.name, module.version) !== undefined;
      if (!isThere && !options.json) process.stderr.write(`Installing ${given} …\n`);
      const added = isThere ? undefined : await addModule(folder(), module);
      if (options.default) await setDefault(folder(), module, module.version);
      const isDefault = table().find(module.name)?.version === module.version;
      if (options.json) return print(JSON.stringify({ ...module, default: isDefault, already: isThere, ...added }));
      print(added ? report(given, added) : `${given} is there already.`);
      print(isDefault ? `require('${module.name}') gets it.` : `require('${given}') gets it.`);
    });
  modules
    .command('remove <name@version>')
    .description('Remove what was added. Code that requires it fails from the next container on.')
    .option('--json', 'print JSON')
    .action(async (given: string, { json }: { json?: boolean }) => {
      const module = parseModule(given);
      if (!table().find(module.name, module.version)?.isAdded) throw moduleErrors.notThere();
      await removeModule(folder(), module);
      print(json ? JSON.stringify({ removed: given }) : `${given} is removed.`);
    });
  return modules;
}

function folder(): string {
  return addedModulesFolder(dataFolder());
}

function table() {
  return readModuleTable({ curated: MODULE_STORE, added: folder() });
}

function toWire({ name, version, isAdded }: StoredModule) {
  return { name, version, default: table().find(name)?.version === version, added: isAdded };
}

function listing(all: readonly StoredModule[]): string {
  const names = [...new Set(all.map(({ name }) => name))];
  const width = Math.max(...names.map((name) => name.length), 0);
  return names
    .map((name) => {
      const versions = all.filter((module) => module.name === name);
      return `${name.padEnd(width)}  ${versions.map(({ version, isAdded }) => (isAdded ? `${version} (added)` : version)).join(', ')}`;
    })
    .join('\n');
}

function report(given: string, { packages, native, audit }: AddedModule): string {
  const holes = Object.entries(audit ?? {}).filter(([, count]) => count > 0);
  const lines = [`${given} is installed, ${packages} ${packages === 1 ? 'package' : 'packages'} in all.`];
  if (audit === undefined) lines.push('The registry did not say whether they have known holes.');
  else if (holes.length > 0)
    lines.push(`Known holes: ${holes.map(([severity, count]) => `${count} ${severity}`).join(', ')}.`);
  else lines.push('No known holes.');
  if (native.length > 0) lines.push(`Containers load no native code, and these need it: ${native.join(', ')}.`);
  return lines.join('\n');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
