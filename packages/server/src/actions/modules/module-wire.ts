import type { Json } from '../../kit/json-values.ts';
import { secretsToWire } from '../secrets.ts';
import type { ActionModule, ActionModuleVersion } from './action-module.ts';
import type { ActionModuleStore } from './action-module-store.ts';
import type { ModuleVersionStore } from './module-version-store.ts';

interface Stores {
  readonly actionModules: ActionModuleStore;
  readonly actionModuleVersions: ModuleVersionStore;
}

export async function moduleToWire(stores: Stores, tenantId: string, module: ActionModule): Promise<Json> {
  const newest = (await stores.actionModuleVersions.newest(tenantId, [module.id])).get(module.id);
  const [wire = {}] = await modulesToWire(stores, tenantId, [module]);
  return { ...wire, ...(newest && { latest_version: referenceToWire(newest) }) };
}

/** In a list a module tells the number of its newest version, but not what is in it. */
export async function modulesToWire(
  { actionModules, actionModuleVersions }: Stores,
  tenantId: string,
  modules: readonly ActionModule[],
): Promise<Json[]> {
  const ids = modules.map(({ id }) => id);
  const newest = await actionModuleVersions.newest(tenantId, ids);
  const totals = await actionModules.usingTotals(tenantId, ids);
  return modules.map(({ id, name, source, secrets, isChanged, createdAt, updatedAt }) => {
    const number = newest.get(id)?.number;
    return {
      id,
      name,
      code: source.code,
      dependencies: source.dependencies,
      secrets: secretsToWire(secrets),
      actions_using_module_total: totals.get(id) ?? 0,
      all_changes_published: !isChanged,
      ...(number !== undefined && { latest_version_number: number }),
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
    };
  });
}

export function moduleVersionToWire(version: ActionModuleVersion): Json {
  return { ...referenceToWire(version), module_id: version.moduleId };
}

function referenceToWire({ id, number, source, secrets, createdAt }: ActionModuleVersion): Json {
  return {
    id,
    version_number: number,
    code: source.code,
    dependencies: source.dependencies,
    secrets: secretsToWire(secrets),
    created_at: createdAt.toISOString(),
  };
}
