import { INSERT_EVENTS, startLogSubject } from '../../log-subject.ts';
import { median, startProgram } from '../../program.ts';
import type { WriterResult, WriterTask } from '../../programs/log-writer.ts';
import type { Figure, Row } from '../../row.ts';

const LOADS = [
  { format: 'JSONOBJECT', perSecond: 1_000, what: 'a POST each', p50: 50, p99: 250 },
  { format: 'JSONLINES', perSecond: 5_000, what: 'batched', p50: undefined, p99: 500 },
] as const;

/** From the event to its arrival, at a steady rate. */
export const delay: Row = {
  name: 'log-delay',
  async measure({ settings }) {
    const subject = await startLogSubject();
    const writer = startProgram<WriterTask, WriterResult>('log-writer');
    try {
      const figures: Figure[] = [];
      for (const { format, perSecond, what, p50, p99 } of LOADS) {
        await subject.addStream('/', format);
        const [halves, tails]: [number[], number[]] = [[], []];
        for (let round = 0; round <= settings.rounds; round++) {
          await subject.sink({ forget: true, looksInside: true });
          const seconds = settings.seconds * 2;
          const { written } = await writer.run({ url: subject.url, perSecond, seconds, insert: INSERT_EVENTS });
          await subject.arrived(written);
          const delays = [...(await subject.sink({ forget: false })).delays].sort((a, b) => a - b);
          if (round === 0) continue;
          halves.push(delays[delays.length >> 1] ?? Number.NaN);
          tails.push(delays[Math.floor(delays.length * 0.99)] ?? Number.NaN);
        }
        await subject.sink({ looksInside: false });
        await subject.removeStreams();
        const figure = (name: string, values: readonly number[], limit: number): Figure => ({
          work: `delay at ${perSecond.toLocaleString('en')} events/s, ${what}: ${name}`,
          ours: `median of ${values.length}`,
          yardstick: '–',
          measured: median(values),
          unit: 'ms',
          goal: { is: 'at most', limit },
        });
        if (p50 !== undefined) figures.push(figure('p50', halves, p50));
        figures.push(figure('p99', tails, p99));
      }
      return figures;
    } finally {
      await writer.stop();
      await subject.stop();
    }
  },
};
