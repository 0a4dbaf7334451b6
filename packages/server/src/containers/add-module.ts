import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { defineErrors } from '../kit/errors.ts';
import { DEFAULTS, folderOf } from './program/module-table.ts';

export const moduleErrors = defineErrors({
  badName: {
    status: 400,
    code: 'bad_module',
    message: 'Name one version of one module: lodash@4.17.21, @scope/name@1.2.3.',
  },
  npmMissing: {
    status: 500,
    code: 'npm_missing',
    message:
      'npm is not installed here. Run the command where it is, with the same data folder (GATEWRIGHT_DATA_DIR); in Docker: in an image of Node, with the data volume.',
  },
  notAdded: { status: 500, code: 'not_added', message: 'npm could not install the module: its own words are above.' },
  notThere: { status: 404, code: 'inexistent_module', message: 'This version of the module was not added.' },
});

export interface ModuleName {
  readonly name: string;
  readonly version: string;
}

const MODULE = /^((?:@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*)@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/;

/** An exact version: what runs at a login must not change by itself. */
export function parseModule(given: string): ModuleName {
  const [, name, version] = MODULE.exec(given) ?? [];
  if (name === undefined || version === undefined || given.length > 250) throw moduleErrors.badName();
  return { name, version };
}

export interface AddedModule {
  readonly packages: number;
  /** Packages of native code, which no container loads. */
  readonly native: readonly string[];
  /** Known holes by severity; undefined where the registry did not say. */
  readonly audit: Readonly<Record<string, number>> | undefined;
}

/** In a folder of its own, which appears when it is complete: containers that run meanwhile see nothing half-done. */
export async function addModule(folder: string, { name, version }: ModuleName): Promise<AddedModule> {
  const draft = join(folder, `.adding-${randomUUID()}`);
  await mkdir(draft, { recursive: true });
  try {
    await writeFile(join(draft, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }));
    const { code } = await npm(draft, ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund']);
    if (code !== 0) throw moduleErrors.notAdded();
    const added = { ...(await look(draft)), audit: await audit(draft) };
    await rename(draft, join(folder, folderOf(name, version)));
    return added;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

export async function removeModule(folder: string, module: ModuleName): Promise<void> {
  const gone = join(folder, `.removed-${randomUUID()}`);
  await rename(join(folder, folderOf(module.name, module.version)), gone).catch((cause) => {
    throw moduleErrors.notThere({}, { cause });
  });
  const defaults = await readDefaults(folder);
  if (defaults[module.name] === module.version) await setDefault(folder, module, undefined);
  await rm(gone, { recursive: true, force: true });
}

/** What `require('<name>')` gets from the next container on. */
export async function setDefault(folder: string, { name }: ModuleName, version: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { [name]: _before, ...others } = await readDefaults(folder);
  const draft = join(folder, `.defaults-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(version === undefined ? others : { ...others, [name]: version }));
  await rename(draft, join(folder, DEFAULTS));
}

async function readDefaults(folder: string): Promise<Record<string, unknown>> {
  const file = await readFile(join(folder, DEFAULTS), 'utf8').catch(() => '{}');
  return JSON.parse(file);
}

/** Its output is the operator's to read; answers in JSON are ours. */
async function npm(folder: string, args: readonly string[], json = false): Promise<{ code: number; output: string }> {
  const child = spawn('npm', [...args, '--loglevel=error', ...(json ? ['--json'] : [])], {
    cwd: folder,
    stdio: ['ignore', 'pipe', json ? 'ignore' : 'inherit'],
    // What npm passes to the scripts of a checkout speaks of that checkout.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_config_(?:local_)?prefix$/.test(name)),
    ),
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (cause) => reject(moduleErrors.npmMissing({}, { cause })));
    child.once('close', (code) => resolve(code ?? 1));
  });
  const [code, output] = await Promise.all([ended, text(child.stdout)]);
  return { code, output };
}

async function look(draft: string): Promise<Pick<AddedModule, 'packages' | 'native'>> {
  const lock = JSON.parse(await readFile(join(draft, 'package-lock.json'), 'utf8'));
  const packages = Object.keys(lock.packages).filter((path) => path !== '' && lock.packages[path].optional !== true);
  const native = packages
    .filter((path) => existsSync(join(draft, path, 'binding.gyp')))
    .map((path) => path.replace(/^.*node_modules\//, ''));
  return { packages: packages.length, native };
}

async function audit(draft: string): Promise<Record<string, number> | undefined> {
  const { output } = await npm(draft, ['audit'], true);
  try {
    const { vulnerabilities } = JSON.parse(output).metadata;
    const { total: _total, ...bySeverity } = vulnerabilities;
    return bySeverity;
  } catch {
    return undefined;
  }
}
