import { randomUUID } from 'node:crypto';
import type { CheckSyntax } from '../containers/syntax/check-syntax.ts';
import { type Action, type ActionSource, type ActionVersion, actionErrors } from './action.ts';
import type { ActionStore } from './action-store.ts';
import { buildAction, type FindModule, type Foreseen, faultOf, foresee, refuseFailed } from './build-action.ts';
import type { ModuleVersionStore } from './modules/module-version-store.ts';
import type { Secret } from './secrets.ts';
import type { VersionStore } from './versions/version-store.ts';

interface Stores {
  readonly actions: ActionStore;
  readonly actionVersions: VersionStore;
  readonly actionModuleVersions: ModuleVersionStore;
}

interface Parts {
  readonly findModule: FindModule;
  readonly checkSyntax: CheckSyntax;
  readonly now: () => Date;
}

export interface Deployed {
  readonly action: Action;
  readonly version: ActionVersion;
}

export type DeployAction = ReturnType<typeof createDeployAction>;

/** Makes a new version and lets it run. The tenant's lock on actions is held. */
export function createDeployAction({ findModule, checkSyntax, now }: Parts) {
  async function deploy(
    stores: Stores,
    tenantId: string,
    action: Action,
    content: { readonly source: ActionSource; readonly secrets: readonly Secret[] },
    fault: string | undefined,
  ): Promise<Deployed> {
    const build = await buildAction(content.source.dependencies, fault, findModule);
    refuseFailed(build);
    await refuseLostModules(stores, tenantId, content.source);
    const version = await stores.actionVersions.insert(tenantId, {
      id: randomUUID(),
      actionId: action.id,
      source: { ...content.source, dependencies: build.dependencies },
      secrets: content.secrets,
      createdAt: now(),
    });
    const deployed = { ...action, deployedVersionId: version.id };
    await stores.actions.save(tenantId, deployed);
    return { action: deployed, version };
  }

  return {
    /** Before the lock is taken. */
    foresee: (tenantId: string, { source }: { readonly source: ActionSource }): Promise<Foreseen> =>
      foresee(checkSyntax, tenantId, source.code, 'module'),

    /** A draft that is new, or was changed after it was looked at, says itself what is wrong with it. */
    draft(stores: Stores, tenantId: string, action: Action, foreseen?: Foreseen): Promise<Deployed> {
      const fault = foreseen?.code === action.source.code ? foreseen.fault : faultOf(action);
      return deploy(stores, tenantId, { ...action, isChanged: false }, action, fault);
    },

    /** An older version runs again, as a new one that is equal to it; the draft follows where that is asked for. */
    version(
      stores: Stores,
      tenantId: string,
      action: Action,
      version: ActionVersion,
      updatesDraft: boolean,
      { fault }: Foreseen,
    ): Promise<Deployed> {
      const { source, secrets } = version;
      const changed = updatesDraft
        ? { ...action, source, secrets, isChanged: false, updatedAt: now() }
        : { ...action, isChanged: !isSame(action, version) };
      return deploy(stores, tenantId, changed, version, fault);
    },
  };
}

/** An older version may name a module that nothing used any more, and that was deleted. */
async function refuseLostModules(
  { actionModuleVersions }: Pick<Stores, 'actionModuleVersions'>,
  tenantId: string,
  { modules }: ActionSource,
): Promise<void> {
  const found = await actionModuleVersions.findAll(
    tenantId,
    modules.map(({ versionId }) => versionId),
  );
  const lost = modules.filter(({ versionId }) => !found.some(({ id }) => id === versionId));
  const problems = lost.map(({ moduleName }) => `The module ${moduleName} is not there any more.`).join(' ');
  if (problems !== '') throw actionErrors.notBuilt({ problems });
}

interface Content {
  readonly source: ActionSource;
  readonly secrets: readonly Secret[];
}

/** Whether two drafts or versions say the same. */
export function isSame(one: Content, other: Content): boolean {
  return textOf(one) === textOf(other);
}

function textOf({ source, secrets }: Content): string {
  const { code, runtime, triggers, dependencies, modules } = source;
  return JSON.stringify([
    code,
    runtime,
    triggers.map(({ id, version }) => [id, version]),
    dependencies.map(({ name, version }) => [name, version]),
    modules.map(({ versionId }) => versionId),
    secrets.map(({ name, value }) => [name, value]),
  ]);
}
