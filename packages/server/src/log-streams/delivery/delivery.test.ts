import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld, unitsOf } from '../../../test/log-streams/stream-world.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

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

  it('sends batches of what follows each other in the log, in the order of GET /logs by checkpoint', async () => {
    streams.receiver.behave(() => new Promise((resolve) => setTimeout(resolve, 5, { status: 200 })));
    await streams.createStream({ format: 'JSONLINES' });
    for (let round = 0; round < 5; round++) await streams.happen(20);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(100));
    // Where events wait, several batches are under way, and one may overtake another.
    const batches = streams.receiver.requests.map((request) => unitsOf(request).map(({ log_id }) => log_id));
    const ids = batches.toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1)).flat();
    expect(ids).toEqual(ids.toSorted());
  });

  it('sends the groups that its filters name, and its cursor passes the others', async () => {
    const { id } = await streams.createStream({ filters: ['auth.login.fail', 'auth.signup.success'] });
    await streams.happen(30);
    await streams.happen(1, { type: 'fp' });
    await streams.happen(1, { type: 'ss' });
    await streams.happen(10);
    await eventually(() => expect(streams.units()).toHaveLength(2));
    expect([...streams.ofType('fp'), ...streams.ofType('ss')]).toHaveLength(2);
    await eventually(async () => expect((await streams.health(id)).lag.events).toBe(0));
  });

  it('sends a tenant’s events to that tenant’s streams alone', async () => {
    const acme = await streams.world.createTenant('acme');
    await streams.createStream({ path: '/dev' });
    await streams.createStream({ path: '/acme', at: acme });
    await Promise.all([streams.happen(20), streams.happen(20, { tenantId: 'acme' })]);
    await eventually(() => expect(streams.ofType('s', '/dev')).toHaveLength(20));
    await eventually(() => expect(streams.ofType('s', '/acme')).toHaveLength(20));
    expect(streams.ofType('s', '/dev').toSorted()).toEqual((await streams.written()).slice(-20));
    expect(streams.ofType('s', '/acme').toSorted()).toEqual(await streams.written('s', 'acme'));
    for (const { id } of (await streams.world.apiAt(acme).get('/log-streams')).json())
      await streams.world.apiAt(acme).delete(`/log-streams/${id}`);
  });

  it('begins with what happened at startFrom, and catches up', async () => {
    await streams.happen(1, { type: 'ss' });
    const before = new Date(Date.now() + 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await streams.happen(700, { type: 'fu' });
    await streams.createStream({ format: 'JSONARRAY', startFrom: before.toISOString() });
    await eventually(() => expect(streams.ofType('fu')).toHaveLength(700));
    expect(streams.ofType('fu')).toEqual(await streams.written('fu'));
    expect(streams.ofType('ss')).toEqual([]);
  });

  it('that is paused keeps its place: what happens meanwhile comes when it is active again, once', async () => {
    const { world } = streams;
    const { id } = await streams.createStream();
    await streams.happen(5);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(5));
    await world.api().patch(`/log-streams/${id}`, { status: 'paused' });
    await eventually(async () => expect(await ownerOf(id)).toBeNull());
    await streams.happen(5);
    expect(streams.ofType('s')).toHaveLength(5);
    expect((await streams.health(id)).state).toBe('paused');
    await world.api().patch(`/log-streams/${id}`, { status: 'active' });
    await streams.happen(5);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(15));
    expect(streams.ofType('s').toSorted()).toEqual((await streams.written()).slice(-15));
  });

  it('whose filters change while sends are open leaves nothing out and repeats nothing', async () => {
    const { world, receiver } = streams;
    const gate = Promise.withResolvers<{ status: number }>();
    receiver.behave(() => gate.promise);
    const { id } = await streams.createStream({ filters: ['auth.login.success'] });
    await streams.happen(4);
    await streams.happen(4, { type: 'fp' });
    await eventually(() => expect(receiver.requests.length).toBeGreaterThan(0));
    await world.api().patch(`/log-streams/${id}`, {
      filters: ['auth.login.success', 'auth.signup.success'].map((name) => ({ type: 'category', name })),
    });
    await streams.happen(4, { type: 'ss' });
    gate.resolve({ status: 200 });
    await eventually(() => expect(streams.ofType('ss')).toHaveLength(4));
    expect(streams.ofType('s').toSorted()).toEqual((await streams.written()).slice(-4));
    expect(streams.ofType('fp')).toEqual([]);
  });

  it('sends an event that is committed late in its place, and none that follows it before', async () => {
    await streams.createStream({ format: 'JSONARRAY' });
    const early = await streams.world.database.pool.connect();
    await early.query('begin');
    await early.query(`insert into log_events (tenant_id, type, body) values ('dev', 'cs', '{}')`);
    await streams.happen(5);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(streams.ofType('s')).toEqual([]);
    await early.query('commit');
    early.release();
    await eventually(() => expect(streams.ofType('s')).toHaveLength(5));
    const [first] = streams.units().filter(({ data }) => data.type === 's' || data.type === 'cs');
    expect(first?.data.type).toBe('cs');
  });

  it('signs with both keys while its secret is rotated, and with the new one alone afterwards', async () => {
    const { world, receiver } = streams;
    const { id } = await streams.createStream();
    const rotate = async () =>
      (await world.api().post(`/log-streams/${id}/rotate-secret`, { overlap_hours: 1 })).json();
    const signatures = () => String(receiver.requests.at(-1)?.headers['webhook-signature'] ?? '').split(' ');
    const first = await rotate();
    expect(first).toEqual({ signing_secret: expect.stringMatching(/^whsec_/) });
    // A process hears of a change soon, and sends on with what it has until then.
    const sendUntil = (count: number) =>
      eventually(async () => {
        await streams.happen(1);
        expect(signatures().filter((signature) => signature.startsWith('v1,'))).toHaveLength(count);
      });
    await sendUntil(1);
    const second = await rotate();
    expect(second).toMatchObject({ previous_valid_until: new Date(world.now().getTime() + 3_600_000).toISOString() });
    await sendUntil(2);
    const last = receiver.requests.at(-1);
    const text = `${last?.headers['webhook-id']}.${last?.headers['webhook-timestamp']}.${last?.body}`;
    expect(signatures()).toEqual([second, first].map(({ signing_secret }) => `v1,${hmac(signing_secret, text)}`));
    world.advance(3_600_001);
    world.app.streams.wake();
    await sendUntil(1);
  });
});

function hmac(secret: string, text: string): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return createHmac('sha256', key).update(text).digest('base64');
}

async function ownerOf(id: string): Promise<unknown> {
  const { rows } = await streams.world.database.pool.query(
    'select owner from log_stream_deliveries where stream_id = $1',
    [id],
  );
  return rows[0]?.owner;
}
