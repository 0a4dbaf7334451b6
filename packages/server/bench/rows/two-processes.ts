import { makeDataFolder, startGatewright } from '../gatewright-process.ts';
import { clientCredentialsForm, times, tokenRequest } from '../requests.ts';
import type { Row } from '../row.ts';
import { cpuFigure, targetOf } from '../workbench.ts';

const CONNECTIONS = 32;

/** The client-credentials row once more, with GATEWRIGHT_WORKERS=2 behind the port. */
export const twoProcesses: Row = {
  name: 'two-processes',
  async measure(workbench) {
    const cores = await workbench.cores();
    const folder = await makeDataFolder();
    const server = await startGatewright({ dataDir: folder.path, workers: 2 });
    try {
      const subject = { server, firstRun: await server.firstRun() };
      const before = await cores.perSecond('signature', 500);
      const form = clientCredentialsForm(subject);
      const cost = await workbench.measureRequests(targetOf(subject), () => times(CONNECTIONS, tokenRequest(form)));
      const allCores = (before + (await cores.perSecond('signature', 500))) / 2;
      return [
        cpuFigure('client-credentials token, two processes', cost, 1.6),
        {
          work: 'client-credentials tokens a second, two processes',
          ours: `${cost.perSecond.toFixed(0)}/s`,
          yardstick: `signatures of all cores ${allCores.toFixed(0)}/s`,
          measured: cost.perSecond / allCores,
          unit: 'of it',
          goal: { is: 'at least', limit: 0.5 },
        },
      ];
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
};
