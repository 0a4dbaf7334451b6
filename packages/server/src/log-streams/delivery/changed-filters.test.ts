import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../../test/log-streams/stream-world.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(async () => {
  await hearing('enable');
  await streams.clean();
});

describe('the filters of a stream, changed while its process does not hear of it', () => {
  it('count for every event after the answer, and for none before', async () => {
    const { id } = await streams.createStream({ filters: [LOGIN, FAILURE] });
    await streams.happen(3, { type: 'fp' });
    await streams.happen(3, { type: 'ss' });
    await streams.happen(1);
    // What stands before it was read before it.
    await eventually(() => expect(streams.ofType('s')).toHaveLength(1));
    await hearing('disable');
    const early = await streams.written('fp');
    const signups = (await streams.written('ss')).length;
    for (let round = 0; round < 3; round++) {
      await filterBy(id, [LOGIN, SIGNUP]);
      await streams.happen(2, { type: 'ss' });
      await streams.happen(2, { type: 'fp' });
      await streams.happen(1);
      await eventually(() => expect(streams.ofType('s')).toHaveLength(2 * round + 2));
      await filterBy(id, [LOGIN]);
      await streams.happen(2, { type: 'ss' });
      await streams.happen(1);
      await eventually(() => expect(streams.ofType('s')).toHaveLength(2 * round + 3));
    }
    const after = (await streams.written('ss')).slice(signups);
    expect(streams.ofType('ss').toSorted()).toEqual([0, 1, 4, 5, 8, 9].map((index) => after[index]));
    expect(streams.ofType('fp').toSorted()).toEqual(early.slice(-3));
  });

  it('leave alone what was read before and could not be sent yet', async () => {
    const { receiver } = streams;
    const { id } = await streams.createStream({ filters: [LOGIN] });
    await streams.createStream({ path: '/beside', filters: [FAILURE] });
    const gate = Promise.withResolvers<{ status: number }>();
    receiver.behave(({ path }) => (path === '/' ? gate.promise : { status: 200 }));
    await streams.happen(1);
    await eventually(() => expect(receiver.requests.length).toBe(1));
    await streams.happen(19);
    await streams.happen(5, { type: 'fp' });
    // All streams that are at the end of the log read it together.
    await eventually(() => expect(streams.ofType('fp', '/beside')).toHaveLength(5));
    await filterBy(id, [FAILURE]);
    await streams.happen(5, { type: 'fp' });
    await streams.happen(5);
    gate.resolve({ status: 200 });
    await eventually(() => expect(streams.ofType('fp')).toHaveLength(5));
    await eventually(() => expect(streams.ofType('s')).toHaveLength(20));
    expect(streams.ofType('fp').toSorted()).toEqual((await streams.written('fp')).slice(-5));
    expect(streams.ofType('s').toSorted()).toEqual((await streams.written()).slice(-25, -5));
  });

  it('count for a stream that is far behind, and reads by itself', async () => {
    const { receiver } = streams;
    const gate = Promise.withResolvers<{ status: number }>();
    const before = new Date();
    await streams.happenAtOnce(MORE_THAN_IS_READ_AHEAD);
    receiver.behave(() => gate.promise);
    const { id } = await streams.createStream({
      format: 'JSONLINES',
      filters: [LOGIN],
      startFrom: before.toISOString(),
    });
    await eventually(() => expect(receiver.requests.length).toBeGreaterThan(0));
    await hearing('disable');
    await filterBy(id, [LOGIN, SIGNUP]);
    await streams.happen(3, { type: 'ss' });
    gate.resolve({ status: 200 });
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(MORE_THAN_IS_READ_AHEAD));
    await eventually(() => expect(streams.ofType('ss')).toHaveLength(3));
    expect(streams.ofType('ss')).toEqual((await streams.written('ss')).slice(-3));
  });
});

const LOGIN = 'auth.login.success';
const FAILURE = 'auth.login.fail';
const SIGNUP = 'auth.signup.success';
const MORE_THAN_IS_READ_AHEAD = 6_500;

async function filterBy(id: string, groups: readonly string[]): Promise<void> {
  const filters = groups.map((name) => ({ type: 'category', name }));
  expect((await streams.api().patch(`/log-streams/${id}`, { filters })).statusCode).toBe(200);
}

/** Processes look at the streams every three seconds by themselves, and soon where the database announces a change. */
async function hearing(state: 'enable' | 'disable'): Promise<void> {
  await streams.world.database.pool.query(`alter table log_streams ${state} trigger log_streams_announce`);
}
