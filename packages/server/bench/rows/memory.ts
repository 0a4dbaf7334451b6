import { setTimeout as sleep } from 'node:timers/promises';
import { makeDataFolder, startGatewright } from '../gatewright-process.ts';
import { memoryOf, treeOf } from '../processes.ts';
import type { Row } from '../row.ts';

/** A server that started on a folder with data, and then had nothing to do. */
export const memory: Row = {
  name: 'memory',
  async measure({ settings }) {
    const folder = await makeDataFolder();
    try {
      await (await startGatewright({ dataDir: folder.path })).stop();
      const server = await startGatewright({ dataDir: folder.path, profileTo: settings.profileTo });
      await sleep(settings.idleSeconds * 1000);
      const all = treeOf(server.pid);
      const database = server.databasePids();
      const own = all.filter((pid) => !database.includes(pid));
      const ours = memoryOf(own);
      const both = memoryOf([...new Set([...all, ...database])]);
      await server.stop();
      const figure = (work: string, { megabytes, counted }: typeof ours, processes: number, limit: number) =>
        ({
          work: `idle memory after ${settings.idleSeconds} s: ${work}`,
          ours: `${counted} of ${processes} process${processes === 1 ? '' : 'es'}`,
          yardstick: '–',
          measured: megabytes,
          unit: 'MB',
          goal: { is: 'at most', limit },
        }) as const;
      return [
        figure('server', ours, own.length, 170),
        figure('server and embedded PostgreSQL', both, own.length + database.length, 210),
      ];
    } finally {
      await folder.remove();
    }
  },
};
