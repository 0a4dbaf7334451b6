// Writes events at a steady rate, as a busy server's group commit does: those of a few milliseconds in one statement.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface WriterTask {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly insert: string;
}

export interface WriterResult {
  readonly written: number;
}

const TICK_MILLISECONDS = 5;

process.on('message', async ({ url, perSecond, seconds, insert }: WriterTask) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const began = performance.now();
  let written = 0;
  while (performance.now() - began < seconds * 1_000) {
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond) - written;
    if (due > 0) await client.query({ name: 'write', text: insert, values: [due] });
    written += Math.max(0, due);
    await sleep(TICK_MILLISECONDS);
  }
  await client.end();
  process.send?.({ written } satisfies WriterResult);
});
