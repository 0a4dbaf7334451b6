import { type Json, numberOf, objectsOf, oneOf, textOf } from '../kit/json-values.ts';
import { bodyFault, checkCount, checkLength } from '../management/body-limits.ts';
import {
  type ActionSource,
  type Dependency,
  LONGEST_CODE,
  LONGEST_NAME,
  MOST_DEPENDENCIES,
  MOST_MODULES,
  type ModuleUse,
} from './action.ts';
import type { ActionModuleStore } from './modules/action-module-store.ts';
import { findTrigger, RUNTIMES, type TriggerRef } from './triggers.ts';

const NPM_REGISTRY = /^https:\/\/registry\.npmjs\.org\/?$/;
const MODULE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/;
const MODULE_VERSION = /^[0-9A-Za-z.+-]{1,64}$/;
const LONGEST_MODULE_NAME = 214;

/** What a body says about the draft; the modules that it uses are looked up. */
export async function readSource(
  body: Json,
  tenantId: string,
  modules: ActionModuleStore,
): Promise<Partial<ActionSource>> {
  const code = textOf(body.code);
  const runtime = readRuntime(body.runtime);
  checkLength('code', code, LONGEST_CODE);
  return {
    ...(code !== undefined && { code }),
    ...(runtime !== undefined && { runtime }),
    ...(body.supported_triggers !== undefined && { triggers: readTriggers(body.supported_triggers) }),
    ...(body.dependencies !== undefined && { dependencies: readDependencies(body.dependencies) }),
    ...(body.modules !== undefined && { modules: await readModules(body.modules, tenantId, modules) }),
  };
}

export function readName(body: Json): string | undefined {
  const name = textOf(body.name);
  checkLength('name', name, LONGEST_NAME);
  if (name?.trim() === '') throw bodyFault('String is too short (0 chars), minimum 1', 'name');
  return name;
}

function readRuntime(given: unknown): string | undefined {
  if (given === undefined) return undefined;
  const runtime = oneOf(RUNTIMES, given);
  if (runtime === undefined) throw bodyFault(`No enum match for: ${given}`, 'runtime');
  return runtime;
}

function readTriggers(given: unknown): TriggerRef[] {
  const list = objectsOf(given);
  if (list.length > 1) throw bodyFault('An action supports one trigger', 'supported_triggers');
  return list.map(({ id, version }) => {
    const trigger = findTrigger(textOf(id) ?? '', textOf(version));
    if (!trigger) throw bodyFault(`No trigger ${id} ${version ?? ''}`.trim(), 'supported_triggers');
    return trigger;
  });
}

export function readDependencies(given: unknown): Dependency[] {
  const list = objectsOf(given);
  checkCount('dependencies', list, MOST_DEPENDENCIES);
  return list.map(({ name: givenName, version: givenVersion, registry_url: registry }, index) => {
    const place = `dependencies[${index}]`;
    const [name = '', version = 'latest'] = [textOf(givenName), textOf(givenVersion)];
    if (name.length > LONGEST_MODULE_NAME || !MODULE_NAME.test(name))
      throw bodyFault('Not the name of a module', place);
    if (!MODULE_VERSION.test(version)) throw bodyFault('Not a version: one is exact, or latest', place);
    if (typeof registry === 'string' && registry !== '' && !NPM_REGISTRY.test(registry))
      throw bodyFault('Modules come from the module store, and from no registry of their own', place);
    return { name, version };
  });
}

async function readModules(given: unknown, tenantId: string, modules: ActionModuleStore): Promise<ModuleUse[]> {
  const list = objectsOf(given);
  checkCount('modules', list, MOST_MODULES);
  const uses: ModuleUse[] = [];
  for (const [index, item] of list.entries()) {
    const use = await modules.findUse(tenantId, {
      moduleId: textOf(item.module_id),
      moduleName: textOf(item.module_name),
      versionId: textOf(item.module_version_id),
      versionNumber: numberOf(item.module_version_number),
    });
    if (!use) throw bodyFault('There is no such version of a module', `modules[${index}]`);
    if (uses.some(({ moduleId }) => moduleId === use.moduleId))
      throw bodyFault('A module is used in one version', `modules[${index}]`);
    uses.push(use);
  }
  return uses;
}
