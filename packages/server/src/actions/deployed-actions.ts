import { digest } from '../kit/digest.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import {
  type Action,
  type ActionSource,
  type ActionVersion,
  type Dependency,
  MOST_ACTIONS_OF_TRIGGER,
} from './action.ts';
import type { ActionStore } from './action-store.ts';
import type { Binding, BindingStore } from './bindings/binding-store.ts';
import type { ModuleVersionStore } from './modules/module-version-store.ts';
import { type Secret, secretValues } from './secrets.ts';
import type { VersionStore } from './versions/version-store.ts';

/** An action as it is run. The hash follows all code and versions of modules, and no secret. */
export interface RunnableAction {
  readonly id: string;
  readonly name: string;
  /** Undefined for a draft that is tested. */
  readonly versionId: string | undefined;
  readonly hash: string;
  readonly code: string;
  readonly runtime: string;
  readonly dependencies: readonly Dependency[];
  readonly secrets: Readonly<Record<string, string>>;
  /** Of the tenant: `require('actions:name')`. */
  readonly modules: readonly RunnableModule[];
}

export interface RunnableModule {
  readonly name: string;
  readonly code: string;
  readonly dependencies: readonly Dependency[];
  readonly secrets: Readonly<Record<string, string>>;
}

interface Stores {
  readonly actions: Pick<ActionStore, 'findAll'>;
  readonly actionVersions: Pick<VersionStore, 'findAll'>;
  readonly actionBindings: Pick<BindingStore, 'window'>;
  readonly actionModuleVersions: Pick<ModuleVersionStore, 'findAll'>;
}

interface Parts {
  readonly cache: Pick<TenantCache, 'get'>;
  readonly stores: Stores;
}

export type DeployedActions = ReturnType<typeof createDeployedActions>;

/** What runs at a trigger, from memory, since it is configuration. */
export function createDeployedActions({ cache, stores }: Parts) {
  return {
    /** In the order of their bindings. */
    atTrigger: (tenantId: string, triggerId: string): Promise<readonly RunnableAction[]> =>
      cache.get(tenantId, `actions at ${triggerId}`, async () => {
        const bound = (await readBound(tenantId, triggerId)) ?? (await readBound(tenantId, triggerId));
        // Without it the flow would go on as if its author had never bound it: a denial of theirs must not be skipped.
        if (!bound) throw new Error(`An action that is bound at ${triggerId} is not there, or its version is not.`);
        return bound;
      }),

    /** The action that a profile or a stream names; undefined where it is not deployed, or for another trigger. */
    byId: (tenantId: string, actionId: string, triggerId: string): Promise<RunnableAction | undefined> =>
      cache.get(tenantId, `action ${triggerId} ${actionId}`, async () =>
        (await runnable(tenantId, [actionId], triggerId)).found.get(actionId),
      ),
  };

  /** Undefined where a deploy or a deletion came between the statements, which are no snapshot. */
  async function readBound(tenantId: string, triggerId: string): Promise<readonly RunnableAction[] | undefined> {
    const bindings = await stores.actionBindings.window(tenantId, triggerId, 0, MOST_ACTIONS_OF_TRIGGER);
    const ids = bindings.map(({ actionId }) => actionId);
    const { found, deployed } = await runnable(tenantId, ids, triggerId);
    if (!ids.every((id) => deployed.has(id))) return undefined;
    return bindings.flatMap((binding) => withSecrets(found.get(binding.actionId), binding));
  }

  async function runnable(tenantId: string, ids: readonly string[], triggerId: string) {
    const actions = await stores.actions.findAll(tenantId, ids);
    const versions = await stores.actionVersions.findAll(
      tenantId,
      actions.flatMap(({ deployedVersionId }) => deployedVersionId ?? []),
    );
    const found = new Map<string, RunnableAction>();
    for (const version of versions.filter(({ source }) => source.triggers.some(({ id }) => id === triggerId))) {
      const action = actions.find(({ id }) => id === version.actionId);
      if (action) found.set(action.id, await toRunnable(stores, tenantId, action, version));
    }
    return { found, deployed: new Set(versions.map(({ actionId }) => actionId)) };
  }
}

/** Of a draft, or of one of its versions. */
export async function toRunnable(
  { actionModuleVersions }: Pick<Stores, 'actionModuleVersions'>,
  tenantId: string,
  { id, name }: Action,
  content: { readonly source: ActionSource; readonly secrets: readonly Secret[] } & Partial<
    Pick<ActionVersion, 'number' | 'id'>
  >,
): Promise<RunnableAction> {
  const { source, secrets } = content;
  const versions = await actionModuleVersions.findAll(
    tenantId,
    source.modules.map(({ versionId }) => versionId),
  );
  const modules = source.modules.flatMap((use) =>
    versions
      .filter((version) => version.id === use.versionId)
      .map((version) => ({ name: use.moduleName, ...version.source, secrets: secretValues(version.secrets) })),
  );
  const code = [
    source.code,
    source.dependencies,
    modules.map((module) => [module.name, module.code, module.dependencies]),
  ];
  return {
    id,
    name,
    versionId: content.number === undefined ? undefined : content.id,
    hash: digest(JSON.stringify(code)),
    code: source.code,
    runtime: source.runtime,
    dependencies: source.dependencies,
    secrets: secretValues(secrets),
    modules,
  };
}

function withSecrets(action: RunnableAction | undefined, { secrets }: Binding): RunnableAction[] {
  return action ? [{ ...action, secrets: { ...action.secrets, ...secretValues(secrets) } }] : [];
}
