import type { Json } from '../kit/json-values.ts';
import type { Action, ActionSource, ActionVersion } from './action.ts';
import { buildAction, type FindModule, faultOf } from './build-action.ts';
import { secretsToWire } from './secrets.ts';
import type { VersionStore } from './versions/version-store.ts';

interface Stores {
  readonly actionVersions: VersionStore;
}

export type ActionsToWire = ReturnType<typeof createActionsToWire>;

/** Actions as the API tells them, each with the version that runs. */
export function createActionsToWire({ findModule }: { readonly findModule: FindModule }) {
  async function toWire(action: Action, deployed: ActionVersion | undefined): Promise<Json> {
    const { status, problems } = await buildAction(action.source.dependencies, faultOf(action), findModule);
    const version = deployed && { ...versionToWire(deployed), deployed: true };
    return {
      ...baseToWire(action),
      ...sourceToWire(action.source),
      secrets: secretsToWire(action.secrets),
      status,
      ...(problems.length > 0 && { errors: problems }),
      ...(status === 'built' && { built_at: action.updatedAt.toISOString() }),
      all_changes_deployed: !action.isChanged,
      ...(version && { current_version: version, deployed_version: version }),
    };
  }

  return {
    async all(stores: Stores, tenantId: string, actions: readonly Action[]): Promise<Json[]> {
      const ids = actions.flatMap(({ deployedVersionId }) => deployedVersionId ?? []);
      const versions = new Map(
        (await stores.actionVersions.findAll(tenantId, ids)).map((version) => [version.id, version]),
      );
      return Promise.all(actions.map((action) => toWire(action, versions.get(action.deployedVersionId ?? ''))));
    },

    async one(stores: Stores, tenantId: string, action: Action): Promise<Json> {
      const [wire = {}] = await this.all(stores, tenantId, [action]);
      return wire;
    },
  };
}

export function versionOfActionToWire(version: ActionVersion, action: Action): Json {
  return {
    ...versionToWire(version),
    deployed: version.id === action.deployedVersionId,
    action: { ...baseToWire(action), all_changes_deployed: !action.isChanged },
  };
}

function versionToWire({ id, actionId, number, source, secrets, createdAt }: ActionVersion): Json {
  const time = createdAt.toISOString();
  return {
    id,
    action_id: actionId,
    number,
    ...sourceToWire(source),
    supported_triggers: source.triggers,
    secrets: secretsToWire(secrets),
    status: 'built',
    built_at: time,
    created_at: time,
    updated_at: time,
  };
}

function baseToWire({ id, name, source, createdAt, updatedAt }: Action): Json {
  return {
    id,
    name,
    supported_triggers: source.triggers,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

function sourceToWire({ code, runtime, dependencies, modules }: ActionSource): Json {
  return {
    code,
    runtime,
    dependencies,
    ...(modules.length > 0 && {
      modules: modules.map(({ moduleId, moduleName, versionId, versionNumber }) => ({
        module_id: moduleId,
        module_name: moduleName,
        module_version_id: versionId,
        module_version_number: versionNumber,
      })),
    }),
  };
}
