import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../../test/log-streams/stream-world.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(async () => {
  const { world, receiver } = streams;
  for (const { id } of (await world.api().get('/log-streams')).json()) await world.api().delete(`/log-streams/${id}`);
  receiver.behave({ status: 200 });
  receiver.requests.length = 0;
});

describe('a log stream', () => {
  it.each(['JSONOBJECT', 'JSONARRAY', 'JSONLINES'] as const)(
    'sends every event that happens from now on once, as %s, with what GET /logs shows of it',
    async (format) => {
      await streams.happen(3, { type: 'ss' });
      await streams.createStream({ format });
      await streams.happen(40);
      await eventually(() => expect(streams.ofType('s')).toHaveLength(40));
      expect(streams.ofType('s').toSorted()).toEqual((await streams.written()).slice(-40));
      expect(streams.ofType('ss')).toEqual([]);
      const [unit] = streams.units().filter(({ data }) => data.type === 's');
      const shown = await streams.world.api().get(`/logs/${unit?.log_id}`);
      expect(unit?.data).toEqual(shown.json());
    },
  );
});
