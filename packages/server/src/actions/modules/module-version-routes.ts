import type { CheckSyntax } from '../../containers/syntax/check-syntax.ts';
import { textOf } from '../../kit/json-values.ts';
import type { Management } from '../../management/call.ts';
import { foresee } from '../build-action.ts';
import { pageToWire, readPage } from '../read-page.ts';
import { type ActionModuleVersion, moduleErrors } from './action-module.ts';
import type { ActionModuleStore } from './action-module-store.ts';
import { existingModule } from './module-routes.ts';
import type { ModuleVersionStore } from './module-version-store.ts';
import { moduleToWire, moduleVersionToWire } from './module-wire.ts';
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

/** Versions of the tenant's own modules, and the way back to one of them. */
export function moduleVersionRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { publish, checkSyntax, now }: Parts,
): void {
  management.route('GET /actions/modules/{id}/versions', async (call) => {
    const { tenantId } = call.tenant;
    const page = readPage(call.query);
    const { id } = await existingModule(call.stores, tenantId, call.params.id);
    const { actionModuleVersions } = call.stores;
    const found = await actionModuleVersions.window(tenantId, id, page.offset, page.size);
    const total = await actionModuleVersions.count(tenantId, id);
    return { versions: found.map(moduleVersionToWire), ...pageToWire(page, total) };
  });

  management.route('GET /actions/modules/{id}/versions/{version_id}', async (call) => {
    const { tenantId } = call.tenant;
    const { id } = await existingModule(call.stores, tenantId, call.params.id);
    return moduleVersionToWire(await existingVersion(call.stores, tenantId, id, call.params.version_id));
  });

  management.route('POST /actions/modules/{id}/versions', async (call) => {
    const { tenantId } = call.tenant;
    const { source } = await existingModule(call.stores, tenantId, call.params.id);
    const foreseen = await foresee(checkSyntax, tenantId, source.code, 'library');
    return call.commit(async (stores) => {
      await stores.actionModules.lock(tenantId);
      const module = await existingModule(stores, tenantId, call.params.id);
      return moduleVersionToWire((await publish(stores, tenantId, module, foreseen)).version);
    });
  });

  management.route('POST /actions/modules/{id}/rollback', async (call) => {
    const { tenantId } = call.tenant;
    return call.commit(async (stores) => {
      await stores.actionModules.lock(tenantId);
      const module = await existingModule(stores, tenantId, call.params.id);
      const version = await existingVersion(stores, tenantId, module.id, textOf(call.body.module_version_id));
      const newest = (await stores.actionModuleVersions.newest(tenantId, [module.id])).get(module.id);
      const { source, secrets } = version;
      const back = { ...module, source, secrets, isChanged: newest?.id !== version.id, updatedAt: now() };
      await stores.actionModules.save(tenantId, back);
      return moduleToWire(stores, tenantId, back);
    });
  });
}

async function existingVersion(
  { actionModuleVersions }: Pick<Stores, 'actionModuleVersions'>,
  tenantId: string,
  moduleId: string,
  id: string | undefined,
): Promise<ActionModuleVersion> {
  const version = await actionModuleVersions.find(tenantId, moduleId, id ?? '');
  if (!version) throw moduleErrors.noVersion();
  return version;
}
