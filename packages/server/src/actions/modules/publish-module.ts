import { randomUUID } from 'node:crypto';
import { buildAction, type FindModule, type Foreseen, textOf } from '../build-action.ts';
import { type ActionModule, type ActionModuleVersion, moduleErrors } from './action-module.ts';
import type { ActionModuleStore } from './action-module-store.ts';
import type { ModuleVersionStore } from './module-version-store.ts';

interface Stores {
  readonly actionModules: ActionModuleStore;
  readonly actionModuleVersions: ModuleVersionStore;
}

interface Parts {
  readonly findModule: FindModule;
  readonly now: () => Date;
}

export interface Published {
  readonly module: ActionModule;
  readonly version: ActionModuleVersion;
}

export type PublishModule = ReturnType<typeof createPublishModule>;

/** Makes a version of the draft, which actions can use from now on. The tenant's lock on actions is held. */
export function createPublishModule({ findModule, now }: Parts) {
  return async (stores: Stores, tenantId: string, module: ActionModule, foreseen: Foreseen): Promise<Published> => {
    // Of code that somebody has changed in between the container tells.
    const fault = foreseen.code === module.source.code ? foreseen.fault : undefined;
    const { dependencies, problems } = await buildAction(module.source.dependencies, fault, findModule);
    if (problems.length > 0) throw moduleErrors.notBuilt({ problems: textOf(problems) });
    const version = await stores.actionModuleVersions.insert(tenantId, {
      id: randomUUID(),
      moduleId: module.id,
      source: { ...module.source, dependencies },
      secrets: module.secrets,
      createdAt: now(),
    });
    const published = { ...module, isChanged: false };
    await stores.actionModules.save(tenantId, published);
    return { module: published, version };
  };
}
