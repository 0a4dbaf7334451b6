import type { Management } from '../../management/call.ts';
import { type ActionVersion, actionErrors } from '../action.ts';
import { existing } from '../action-routes.ts';
import type { ActionStore } from '../action-store.ts';
import { versionOfActionToWire } from '../action-wire.ts';
import type { DeployAction } from '../deploy-action.ts';
import type { ModuleVersionStore } from '../modules/module-version-store.ts';
import { pageToWire, readPage } from '../read-page.ts';
import type { VersionStore } from './version-store.ts';

interface Stores {
  readonly actions: ActionStore;
  readonly actionVersions: VersionStore;
  readonly actionModuleVersions: ModuleVersionStore;
}

/** Deploying, and /actions/actions/{action_id}/versions of the Management API. */
export function versionRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { deploy }: { readonly deploy: DeployAction },
): void {
  management.route('POST /actions/actions/{id}/deploy', async (call) => {
    const { tenantId } = call.tenant;
    const foreseen = await deploy.foresee(tenantId, await existing(call.stores, tenantId, call.params.id));
    return call.commit(async (stores) => {
      await stores.actions.lock(tenantId);
      const { action, version } = await deploy.draft(
        stores,
        tenantId,
        await existing(stores, tenantId, call.params.id),
        foreseen,
      );
      return versionOfActionToWire(version, action);
    });
  });

  management.route('GET /actions/actions/{action_id}/versions', async (call) => {
    const { tenantId } = call.tenant;
    const page = readPage(call.query);
    const action = await existing(call.stores, tenantId, call.params.action_id);
    const { actionVersions } = call.stores;
    const found = await actionVersions.window(tenantId, action.id, page.offset, page.size);
    const total = await actionVersions.count(tenantId, action.id);
    return { versions: found.map((version) => versionOfActionToWire(version, action)), ...pageToWire(page, total) };
  });

  management.route('GET /actions/actions/{action_id}/versions/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const action = await existing(call.stores, tenantId, call.params.action_id);
    return versionOfActionToWire(await existingVersion(call.stores, tenantId, action.id, call.params.id), action);
  });

  management.route('POST /actions/actions/{action_id}/versions/{id}/deploy', async (call) => {
    const { tenantId } = call.tenant;
    const { id } = await existing(call.stores, tenantId, call.params.action_id);
    const foreseen = await deploy.foresee(tenantId, await existingVersion(call.stores, tenantId, id, call.params.id));
    return call.commit(async (stores) => {
      await stores.actions.lock(tenantId);
      const action = await existing(stores, tenantId, call.params.action_id);
      const older = await existingVersion(stores, tenantId, action.id, call.params.id);
      const updatesDraft = call.body.update_draft === true;
      const deployed = await deploy.version(stores, tenantId, action, older, updatesDraft, foreseen);
      return versionOfActionToWire(deployed.version, deployed.action);
    });
  });
}

async function existingVersion(
  { actionVersions }: Pick<Stores, 'actionVersions'>,
  tenantId: string,
  actionId: string,
  id: string | undefined,
): Promise<ActionVersion> {
  const version = await actionVersions.find(tenantId, actionId, id ?? '');
  if (!version) throw actionErrors.noVersion();
  return version;
}
