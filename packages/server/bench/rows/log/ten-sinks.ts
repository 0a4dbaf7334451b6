import { type LogSubject, startLogSubject } from '../../log-subject.ts';
import { median } from '../../program.ts';
import type { Row } from '../../row.ts';

const HEALTHY = 8;
const isHealthy = (path: string) => path.startsWith('/healthy');

/** Ten streams, a POST for each event: what eight of them do while one is answered 500 and one never. */
export const tenSinks: Row = {
  name: 'log-ten-sinks',
  async measure({ settings }) {
    const subject = await startLogSubject();
    const events = settings.seconds * 400;
    try {
      const [alone, beside, parts]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round <= settings.rounds; round++) {
        const without = await rateOf(subject, events, []);
        const rate = await rateOf(subject, events, ['/failing', '/hanging']);
        if (round === 0) continue;
        alone.push(without);
        beside.push(rate);
        parts.push(rate / without);
      }
      return [
        {
          work: 'eight sinks beside one that answers 500 and one that hangs',
          ours: `${median(beside).toFixed(0)}/s in all`,
          yardstick: `without the two ${median(alone).toFixed(0)}/s`,
          measured: median(parts),
          unit: 'of it',
          goal: { is: 'at least', limit: 0.9 },
        },
      ];
    } finally {
      await subject.stop();
    }
  },
};

async function rateOf(subject: LogSubject, events: number, others: readonly string[]): Promise<number> {
  for (const path of others) await subject.addStream(path, 'JSONOBJECT');
  for (let number = 0; number < HEALTHY; number++) await subject.addStream(`/healthy-${number}`, 'JSONOBJECT');
  await subject.sink({ forget: true });
  await subject.write(events);
  const { seconds } = await subject.arrived(HEALTHY * events, isHealthy);
  await subject.removeStreams();
  return (HEALTHY * events) / seconds;
}
