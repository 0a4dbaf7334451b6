import type { Containers, Failure } from '../containers/job.ts';
import { CommandError } from '../control/control-client.ts';
import { createLog } from '../kit/log.ts';
import { dataFolder } from './data-folder.ts';

/**
 * Containers as a server has them, with the modules of this checkout and data folder, without a server. `allow`: targets on
 * private networks that their code reaches.
 */
export async function withContainers(
  { limit, allow }: { readonly limit: number; readonly allow: readonly string[] },
  work: (containers: Pick<Containers, 'execute'>) => Promise<void>,
): Promise<void> {
  // Nothing of a server is loaded by other commands for this one.
  const { createContainers } = await import('../containers/containers.ts');
  const { placingFaults } = await import('../containers/syntax/place-fault.ts');
  const { DENY_PRIVATE } = await import('../containers/egress.ts');
  const { createTargetConnector } = await import('../outgoing/connect-target.ts');
  const { addedModulesFolder, checkModuleStore, MODULE_STORE } = await import('../containers/module-folders.ts');
  const missing = checkModuleStore();
  if (missing !== undefined) process.stderr.write(`${missing}\n`);
  const containers = placingFaults(
    createContainers({
      log: createLog('pretty'),
      moduleStore: missing === undefined ? MODULE_STORE : undefined,
      addedModules: addedModulesFolder(dataFolder()),
      egressOf: async () => ({ ...DENY_PRIVATE, intranet: allow }),
      // Without a server there are no ports of its own to keep code away from.
      connectIntranet: createTargetConnector({ ownPorts: () => [] }),
      opener: 'option',
    }),
  );
  try {
    await work({ execute: (job) => containers.execute({ ...job, limitMs: limit * 1000 }) });
  } finally {
    await containers.stop();
  }
}

export function refuseUnavailable(failure: Failure | undefined): void {
  if (failure?.kind === 'unavailable')
    throw new CommandError(failure.error?.message ?? 'No container could be started.');
}
