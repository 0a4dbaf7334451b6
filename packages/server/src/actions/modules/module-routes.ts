import { randomUUID } from 'node:crypto';
import type { CheckSyntax } from '../../containers/syntax/check-syntax.ts';
import { textOf } from '../../kit/json-values.ts';
import type { Management } from '../../management/call.ts';
import { foresee } from '../build-action.ts';
import { readDependencies, readName } from '../read-action.ts';
import { pageToWire, readPage } from '../read-page.ts';
import { readSecrets } from '../secrets.ts';
import { type ActionModule, moduleErrors } from './action-module.ts';
import type { ActionModuleStore } from './action-module-store.ts';
import type { ModuleVersionStore } from './module-version-store.ts';
import { modulesToWire, moduleToWire } from './module-wire.ts';
import type { PublishModule } from './publish-module.ts';

interface Stores {
  readonly actionModules: ActionModuleStore;
  readonly actionModuleVersions: ModuleVersionStore;
}

interface Parts {
  readonly publish: PublishModule;
  readonly checkSyntax: CheckSyntax;
  readonly now: () => Date;
}

/** /actions/modules of the Management API; versions are in module-version-routes.ts. */
export function moduleRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { publish, checkSyntax, now }: Parts,
): void {
  management.route('GET /actions/modules', async (call) => {
    const { tenantId } = call.tenant;
    const page = readPage(call.query);
    const { actionModules } = call.stores;
    const found = await actionModules.window(tenantId, page.offset, page.size);
    const total = await actionModules.count(tenantId);
    return { modules: await modulesToWire(call.stores, tenantId, found), ...pageToWire(page, total) };
  });

  management.route('POST /actions/modules', async (call) => {
    const { tenantId } = call.tenant;
    const time = now();
    const module: ActionModule = {
      id: randomUUID(),
      name: readName(call.body) ?? '',
      source: { code: textOf(call.body.code) ?? '', dependencies: readDependencies(call.body.dependencies) },
      secrets: readSecrets(call.body.secrets, [], time),
      isChanged: true,
      createdAt: time,
      updatedAt: time,
    };
    const foreseen =
      call.body.publish === true ? await foresee(checkSyntax, tenantId, module.source.code, 'library') : undefined;
    return call.commit(async (stores) => {
      await stores.actionModules.lock(tenantId);
      await stores.actionModules.insert(tenantId, module);
      const made = foreseen ? (await publish(stores, tenantId, module, foreseen)).module : module;
      return moduleToWire(stores, tenantId, made);
    });
  });

  management.route('GET /actions/modules/{id}', async (call) => {
    const { tenantId } = call.tenant;
    return moduleToWire(call.stores, tenantId, await existingModule(call.stores, tenantId, call.params.id));
  });

  management.route('PATCH /actions/modules/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const { code, dependencies, secrets } = call.body;
    return call.commit(async (stores) => {
      await stores.actionModules.lock(tenantId);
      const module = await existingModule(stores, tenantId, call.params.id);
      const time = now();
      const changed = {
        ...module,
        source: {
          code: textOf(code) ?? module.source.code,
          dependencies: dependencies === undefined ? module.source.dependencies : readDependencies(dependencies),
        },
        secrets: secrets === undefined ? module.secrets : readSecrets(secrets, module.secrets, time),
        isChanged: module.isChanged || [code, dependencies, secrets].some((part) => part !== undefined),
        updatedAt: time,
      };
      await stores.actionModules.save(tenantId, changed);
      return moduleToWire(stores, tenantId, changed);
    });
  });

  management.route('DELETE /actions/modules/{id}', async (call) => {
    const { tenantId } = call.tenant;
    return call.commit(async (stores) => {
      await stores.actionModules.lock(tenantId);
      const { id } = await existingModule(stores, tenantId, call.params.id);
      if (await stores.actionModules.isUsed(tenantId, id)) throw moduleErrors.isUsed();
      await stores.actionModules.remove(tenantId, id);
    });
  });

  management.route('GET /actions/modules/{id}/actions', async (call) => {
    const { tenantId } = call.tenant;
    const page = readPage(call.query);
    const { id } = await existingModule(call.stores, tenantId, call.params.id);
    const { actionModules } = call.stores;
    const found = await actionModules.usingActions(tenantId, id, page.offset, page.size);
    const total = (await actionModules.usingTotals(tenantId, [id])).get(id) ?? 0;
    const actions = found.map((use) => ({
      action_id: use.actionId,
      action_name: use.actionName,
      module_version_id: use.versionId,
      module_version_number: use.versionNumber,
      supported_triggers: use.triggers,
    }));
    return { actions, ...pageToWire(page, total) };
  });
}

export async function existingModule(
  { actionModules }: Pick<Stores, 'actionModules'>,
  tenantId: string,
  id: string | undefined,
): Promise<ActionModule> {
  const module = await actionModules.find(tenantId, id ?? '');
  if (!module) throw moduleErrors.notFound();
  return module;
}
