import { makeDataFolder, startGatewright } from '../gatewright-process.ts';
import { median } from '../program.ts';
import type { Row } from '../row.ts';

/** From the start of the process until /health/ready answers 200. */
export const start: Row = {
  name: 'start',
  async measure({ settings }) {
    const first: number[] = [];
    const again: number[] = [];
    for (let round = 0; round < settings.rounds; round++) {
      const folder = await makeDataFolder();
      try {
        for (const seconds of [first, again]) {
          const server = await startGatewright({ dataDir: folder.path, profileTo: settings.profileTo });
          seconds.push(server.secondsToReady);
          await server.stop();
        }
      } finally {
        await folder.remove();
      }
    }
    const figure = (work: string, seconds: readonly number[], limit: number) =>
      ({
        work,
        ours: `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)} s`,
        yardstick: '–',
        measured: median(seconds),
        unit: 's',
        goal: { is: 'at most', limit },
      }) as const;
    return [figure('ready from an empty data folder', first, 5), figure('ready again', again, 1.5)];
  },
};
