import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../../test/log-streams/stream-world.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());

it('a server that joins later is left its share of the streams, and no event comes twice or is missing', async () => {
  for (let stream = 0; stream < 4; stream++) await streams.createStream({ path: `/${stream}` });
  await streams.happen(5);
  for (let stream = 0; stream < 4; stream++)
    await eventually(() => expect(streams.ofType('s', `/${stream}`)).toHaveLength(5));
  expect(await shares()).toEqual([4]);

  const second = await streams.world.secondServer();
  await Promise.all([streams.happen(50), eventually(async () => expect(await shares()).toEqual([2, 2]))]);
  await streams.happen(5);
  for (let stream = 0; stream < 4; stream++)
    await eventually(() => expect(new Set(streams.ofType('s', `/${stream}`)).size).toBe(60));
  for (let stream = 0; stream < 4; stream++) expect(streams.ofType('s', `/${stream}`)).toHaveLength(60);

  await second.stop();
  await eventually(async () => expect(await shares()).toEqual([4]));
});

/** How many streams each process has. */
async function shares(): Promise<number[]> {
  const { rows } = await streams.world.database.pool.query<{ count: number }>(
    'select count(*)::int as count from log_stream_deliveries where owner is not null group by owner order by 1',
  );
  return rows.map(({ count }) => count);
}
