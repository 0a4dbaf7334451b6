import type { Containers, Failure } from '../containers/job.ts';
import { CommandError } from '../control/control-client.ts';
import { createLog } from '../kit/log.ts';
import { dataFolder } from './data-folder.ts';

/** Containers as a server has them, with the modules of this checkout and data folder, without a server. */
export async function withContainers(
  limitSeconds: number,
  work: (containers: Pick<Containers, 'execute'>) => Promise<void>,
): Promise<void> {
  // Nothing of a server is loaded by other commands for this one.
  const { createContainers } = await import('../containers/containers.ts');
  const { addedModulesFolder, checkModuleStore, MODULE_STORE } = await import('../containers/module-folders.ts');
  const missing = checkModuleStore();
  if (missing !== undefined) process.stderr.write(`${missing}\n`);
  const containers = createContainers({
    log: createLog('pretty'),
    moduleStore: missing === undefined ? MODULE_STORE : undefined,
    addedModules: addedModulesFolder(dataFolder()),
  });
  try {
    await work({ execute: (job) => containers.execute({ ...job, limitMs: limitSeconds * 1000 }) });
  } finally {
    await containers.stop();
  }
}

export function refuseUnavailable(failure: Failure | undefined): void {
  if (failure?.kind === 'unavailable')
    throw new CommandError(failure.error?.message ?? 'No container could be started.');
}
