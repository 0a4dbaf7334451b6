import { randomUUID } from 'node:crypto';
import type { CheckSyntax } from '../containers/syntax/check-syntax.ts';
import { flagOf, textOf } from '../kit/json-values.ts';
import { checkLength } from '../management/body-limits.ts';
import type { Management } from '../management/call.ts';
import type { TokenExchangeProfileStore } from '../oauth/token-exchange/token-exchange-profile-store.ts';
import { type Action, actionErrors, LONGEST_CODE } from './action.ts';
import type { ActionStore } from './action-store.ts';
import type { ActionsToWire } from './action-wire.ts';
import type { BindingStore } from './bindings/binding-store.ts';
import { faultOfCode } from './build-action.ts';
import { type DeployAction, isSame } from './deploy-action.ts';
import type { ActionModuleStore } from './modules/action-module-store.ts';
import type { ModuleVersionStore } from './modules/module-version-store.ts';
import { readName, readSource } from './read-action.ts';
import { pageToWire, readPage } from './read-page.ts';
import { readSecrets } from './secrets.ts';
import { DEFAULT_RUNTIME } from './triggers.ts';
import type { VersionStore } from './versions/version-store.ts';

interface Stores {
  readonly actions: ActionStore;
  readonly actionVersions: VersionStore;
  readonly actionModuleVersions: ModuleVersionStore;
  readonly actionBindings: BindingStore;
  readonly actionModules: ActionModuleStore;
  readonly tokenExchangeProfiles: Pick<TokenExchangeProfileStore, 'hasAction' | 'removeOfAction'>;
}

interface Parts {
  readonly actionsToWire: ActionsToWire;
  readonly deploy: DeployAction;
  readonly checkSyntax: CheckSyntax;
  readonly now: () => Date;
}

const NO_SOURCE = { code: '', runtime: DEFAULT_RUNTIME, triggers: [], dependencies: [], modules: [] } as const;

/** /actions/actions of the Management API; versions are in version-routes.ts. */
export function actionRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { actionsToWire, deploy, checkSyntax, now }: Parts,
): void {
  /** In another process, so before any lock; what is too long is refused with the rest of the body. */
  async function readFault(tenantId: string, given: unknown) {
    const code = textOf(given);
    checkLength('code', code, LONGEST_CODE);
    return code === undefined ? undefined : faultOfCode(checkSyntax, tenantId, code);
  }

  management.route('GET /actions/actions', async (call) => {
    const { tenantId } = call.tenant;
    const { triggerId, actionName, deployed, installed } = call.query;
    const page = readPage(call.query);
    const filter = { triggerId: textOf(triggerId), name: textOf(actionName), isDeployed: flagOf(deployed) };
    // Installed actions come from a marketplace, and there is none.
    if (installed === true) return { actions: [], ...pageToWire(page, 0) };
    const { actions } = call.stores;
    const found = await actions.window(tenantId, filter, page.offset, page.size);
    const total = await actions.count(tenantId, filter);
    return { actions: await actionsToWire.all(call.stores, tenantId, found), ...pageToWire(page, total) };
  });

  management.route('POST /actions/actions', async (call) => {
    const { tenantId } = call.tenant;
    const name = readName(call.body) ?? '';
    const time = now();
    const secrets = readSecrets(call.body.secrets, [], time);
    const codeFault = await readFault(tenantId, call.body.code);
    return call.commit(async (stores) => {
      await stores.actions.lock(tenantId);
      const source = { ...NO_SOURCE, ...(await readSource(call.body, tenantId, stores.actionModules)) };
      const action: Action = {
        id: randomUUID(),
        name,
        source,
        secrets,
        isChanged: true,
        deployedVersionId: undefined,
        codeFault,
        createdAt: time,
        updatedAt: time,
      };
      await stores.actions.insert(tenantId, action);
      const made = call.body.deploy === true ? (await deploy.draft(stores, tenantId, action)).action : action;
      return actionsToWire.one(stores, tenantId, made);
    });
  });

  management.route('GET /actions/actions/{id}', async (call) => {
    const { tenantId } = call.tenant;
    return actionsToWire.one(call.stores, tenantId, await existing(call.stores, tenantId, call.params.id));
  });

  management.route('PATCH /actions/actions/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const name = readName(call.body);
    const { code } = call.body;
    const codeFault = await readFault(tenantId, code);
    return call.commit(async (stores) => {
      await stores.actions.lock(tenantId);
      const action = await existing(stores, tenantId, call.params.id);
      const source = { ...action.source, ...(await readSource(call.body, tenantId, stores.actionModules)) };
      const time = now();
      const secrets =
        call.body.secrets === undefined ? action.secrets : readSecrets(call.body.secrets, action.secrets, time);
      const changed = {
        ...action,
        name: name ?? action.name,
        source,
        secrets,
        isChanged: action.isChanged || !isSame(action, { source, secrets }),
        codeFault: code === undefined ? action.codeFault : codeFault,
        updatedAt: time,
      };
      await stores.actions.save(tenantId, changed);
      return actionsToWire.one(stores, tenantId, changed);
    });
  });

  management.route('DELETE /actions/actions/{id}', async (call) => {
    const { tenantId } = call.tenant;
    return call.commit(async (stores) => {
      await stores.actions.lock(tenantId);
      const { id } = await existing(stores, tenantId, call.params.id);
      const isForced = call.query.force === true;
      if (!isForced && (await stores.actionBindings.hasAction(tenantId, id))) throw actionErrors.isBound();
      // The exchange of its tokens would end with it: that is asked for, or it is not done.
      if (!isForced && (await stores.tokenExchangeProfiles.hasAction(tenantId, id))) throw actionErrors.isNamed();
      await stores.tokenExchangeProfiles.removeOfAction(tenantId, id);
      await stores.actions.remove(tenantId, id);
    });
  });
}

export async function existing(
  stores: Pick<Stores, 'actions'>,
  tenantId: string,
  id: string | undefined,
): Promise<Action> {
  const action = await stores.actions.find(tenantId, id ?? '');
  if (!action) throw actionErrors.notFound();
  return action;
}
