import { Pool } from 'undici';
import { type LogSubject, startLogSubject } from '../../log-subject.ts';
import { median } from '../../program.ts';
import type { Figure, Row } from '../../row.ts';

const BARE_POSTS = 5_000;
const BODY = JSON.stringify({
  log_id: '9'.repeat(56),
  data: { date: new Date().toISOString(), details: 'x'.repeat(672) },
});

/** A stream that catches up: a signed POST for each event, and batches of 500 lines. */
export const delivery: Row = {
  name: 'log-delivery',
  async measure({ settings }) {
    const subject = await startLogSubject();
    const perRound = { JSONOBJECT: settings.seconds * 4_000, JSONLINES: settings.seconds * 20_000 };
    try {
      const figures: Figure[] = [];
      for (const [format, limit] of [
        ['JSONOBJECT', 5_000],
        ['JSONLINES', 25_000],
      ] as const) {
        const [rates, bare]: [number[], number[]] = [[], []];
        // The first one is for the compiler.
        for (let round = 0; round <= settings.rounds; round++) {
          const { port } = await subject.sink({ forget: true });
          const posts = await barePosts(port);
          const rate = await catchUp(subject, format, perRound[format]);
          if (round > 0) {
            rates.push(rate);
            bare.push(posts);
          }
        }
        figures.push({
          work: format === 'JSONOBJECT' ? 'delivery, a signed POST each' : 'delivery, NDJSON batches of 500',
          ours: `median of ${rates.length}`,
          yardstick: `bare POSTs of one event ${median(bare).toFixed(0)}/s`,
          measured: median(rates),
          unit: '/s',
          goal: { is: 'at least', limit },
        });
      }
      return figures;
    } finally {
      await subject.stop();
    }
  },
};

async function catchUp(subject: LogSubject, format: 'JSONOBJECT' | 'JSONLINES', events: number): Promise<number> {
  await subject.addStream('/', format);
  await subject.sink({ forget: true });
  await subject.write(events);
  const { seconds } = await subject.arrived(events);
  await subject.removeStreams();
  return events / seconds;
}

/** What the machine and the sink can do at that moment, with nothing in between. */
async function barePosts(port: number): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 5 });
  const headers = { 'content-type': 'application/json', 'webhook-id': '9'.repeat(56) };
  const began = performance.now();
  let sent = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      while (sent++ < BARE_POSTS) {
        const { body } = await pool.request({ method: 'POST', path: '/bare', headers, body: BODY });
        await body.dump();
      }
    }),
  );
  const rate = BARE_POSTS / ((performance.now() - began) / 1_000);
  await pool.close();
  return rate;
}
