import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../../test/log-streams/stream-world.ts';
import type { DeliveryState, Lease } from './state/delivery-state.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld({ processes: 2 });
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

describe('several processes', () => {
  it('share the streams: each event is sent once, by one of them', async () => {
    const second = await streams.world.secondServer();
    for (let stream = 0; stream < 4; stream++) await streams.createStream({ path: `/${stream}` });
    await streams.happen(25);
    for (let stream = 0; stream < 4; stream++)
      await eventually(() => expect(streams.ofType('s', `/${stream}`)).toHaveLength(25));
    const owners = () =>
      streams.world.database.pool.query('select distinct owner from log_stream_deliveries where owner is not null');
    await eventually(async () => expect((await owners()).rows).toHaveLength(2));
    await second.stop();
    await streams.happen(5);
    for (let stream = 0; stream < 4; stream++)
      await eventually(() => expect(streams.ofType('s', `/${stream}`)).toHaveLength(30));
  });

  it('go on where one stopped in order: nothing comes twice', async () => {
    const second = await streams.world.secondServer();
    await streams.createStream();
    await streams.happen(50);
    const [stopped] = await Promise.all([second.stop(), streams.happen(100)]);
    expect(stopped).toBeUndefined();
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(150));
    expect(streams.ofType('s')).toHaveLength(150);
  });
});

describe('a process whose lease is over', () => {
  it('moves no cursor: its checkpoint bears an old fence', async () => {
    const { streamDeliveries } = streams.world.app.stores;
    const id = await pausedStream();
    const [old] = await claimAs('suspended');
    await streams.world.database.pool.query(
      `update log_stream_deliveries set lease_until = now() - interval '1 second'`,
    );
    const [young] = await claimAs('awake');
    if (!old || !young) throw new Error('The lease was free.');
    expect(BigInt(young.lease.fence)).toBe(BigInt(old.lease.fence) + 1n);

    const far = ({ lease, state }: { lease: Lease; state: DeliveryState }, xid: string) => [
      { lease, state: { ...state, cursor: { ...state.cursor, xid } } },
    ];
    expect(await streamDeliveries.save('suspended', far(old, '900000'))).toEqual([]);
    expect(await streamDeliveries.renew('suspended', [old.lease])).toEqual([]);
    expect(await streamDeliveries.owns('suspended', old.lease)).toBe(false);
    expect(await streamDeliveries.save('awake', far(young, '800000'))).toHaveLength(1);
    expect(await streamDeliveries.save('awake', far(young, '1'))).toEqual([]);
    expect((await streamDeliveries.find('dev', id))?.cursor.xid).toBe('800000');

    function claimAs(owner: string) {
      return streamDeliveries.claim(owner, [{ tenantId: 'dev', streamId: id }]);
    }
  });

  it('gets no second owner while it lasts, however many ask at once', async () => {
    const { streamDeliveries } = streams.world.app.stores;
    const id = await pausedStream();
    const claims = await Promise.all(
      ['a', 'b', 'c', 'd'].map((owner) => streamDeliveries.claim(owner, [{ tenantId: 'dev', streamId: id }])),
    );
    expect(claims.flat()).toHaveLength(1);
  });
});

/** Nobody has it, nor takes it: one that was just to be taken when it was paused would be. */
async function pausedStream(): Promise<string> {
  const { streamDeliveries } = streams.world.app.stores;
  const { id } = await streams.createStream({ filters: ['scim.event'] });
  const isOwned = async () => (await streamDeliveries.find('dev', id))?.isOwned;
  await eventually(async () => expect(await isOwned()).toBe(true));
  await streams.api().patch(`/log-streams/${id}`, { status: 'paused' });
  await eventually(async () => expect(await isOwned()).toBe(false));
  return id;
}
