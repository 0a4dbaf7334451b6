import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../test/log-streams/stream-world.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

const patch = (id: string, body: unknown) => streams.api().patch(`/log-streams/${id}`, body);

describe('POST /log-streams/{id}/test', () => {
  it('sends one event at once, paused or not, and tells what the receiver said', async () => {
    const { id } = await streams.createStream();
    await patch(id, { status: 'paused' });
    streams.receiver.behave({ status: 401, body: 'who are you?' });
    const refused = await streams.api().post(`/log-streams/${id}/test`);
    expect(refused.json()).toMatchObject({ ok: false, status: 401, body: 'who are you?', took_ms: expect.any(Number) });
    streams.receiver.behave({ status: 204 });
    const taken = (await streams.api().post(`/log-streams/${id}/test`)).json();
    expect(taken).toMatchObject({ ok: true, status: 204, log_id: expect.stringMatching(/^\d{56}$/) });
    // Until it hears that it is paused, it delivers as well.
    expect(streams.units().find(({ log_id }) => log_id === taken.log_id)).toMatchObject({
      data: { description: 'Test of the log stream Events' },
    });
  });
});

describe('tests of a tenant’s streams at once', () => {
  it('are three at most: the others are told to wait, and another tenant isn’t', async () => {
    // What it would deliver, and take until it is paused, would be counted with the tests.
    const filters = ['scim.event'];
    const { id } = await streams.createStream({ filters });
    await patch(id, { status: 'paused' });
    const acme = await streams.world.createTenant('acme');
    const sink = { httpEndpoint: `${streams.receiver.origin}/` };
    const theirs = (
      await streams.world
        .apiAt(acme)
        .post('/log-streams', { type: 'http', sink, filters: [{ type: 'category', name: 'scim.event' }] })
    ).json();
    await streams.world.apiAt(acme).patch(`/log-streams/${theirs.id}`, { status: 'paused' });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    streams.receiver.behave(async () => {
      await released;
      return { status: 200 };
    });
    const test = () => streams.api().post(`/log-streams/${id}/test`);
    const first = [test(), test(), test()];
    await eventually(() => expect(streams.receiver.open()).toBe(3));
    expect((await test()).json()).toMatchObject({ statusCode: 429, errorCode: 'too_many_requests' });
    const other = streams.world.apiAt(acme).post(`/log-streams/${theirs.id}/test`);
    await eventually(() => expect(streams.receiver.open()).toBe(4));
    release();
    for (const response of [...(await Promise.all(first)), await other])
      expect(response.json()).toMatchObject({ ok: true });
    expect((await test()).json()).toMatchObject({ ok: true });
  });
});

describe('POST /log-streams/{id}/replay', () => {
  it('sends a part of the log once more, with the same ids and marked, while new events come unmarked', async () => {
    const { id } = await streams.createStream({
      format: 'JSONOBJECT',
      filters: ['auth.login.success', 'auth.signup.success'],
    });
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    await streams.happen(3, { type: 'ss' });
    await pause();
    const from = new Date().toISOString();
    await pause();
    await streams.happen(6);
    await pause();
    const to = new Date().toISOString();
    await pause();
    await streams.happen(2, { type: 'ss' });
    await eventually(() => expect(streams.units()).toHaveLength(11));
    streams.receiver.requests.length = 0;

    const replay = await streams.api().post(`/log-streams/${id}/replay`, { from, to });
    expect(replay.statusCode).toBe(202);
    await streams.happen(1, { type: 'ss' });
    await eventually(() => expect(streams.units().length).toBeGreaterThanOrEqual(7));
    const isReplayed = streams.receiver.requests.map(({ headers, body }) => [
      JSON.parse(body).data.type,
      headers['webhook-replay'],
    ]);
    expect(new Set(isReplayed.map(String))).toEqual(new Set(['s,true', 'ss,']));
    expect(streams.ofType('s').slice(0, 6).toSorted()).toEqual((await streams.written()).slice(-6));
    await eventually(async () => expect((await streams.health(id)).replay.finished_at).not.toBeNull());
  });

  it('begins though the database failed when the stream was taken up', async () => {
    const { pool } = streams.world.database;
    const { id } = await streams.createStream();
    await patch(id, { status: 'paused' });
    const lease = () => streams.world.app.stores.streamDeliveries.find('dev', id);
    await eventually(async () => expect((await lease())?.isOwned).toBe(false));
    await streams.api().post(`/log-streams/${id}/replay`, { from: '2020-01-01T00:00:00Z' });
    await pool.query('alter table log_stream_replays rename to away');
    await patch(id, { status: 'active' });
    await eventually(async () => expect((await lease())?.isOwned).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await pool.query('alter table away rename to log_stream_replays');
    await pool.query(`update log_stream_deliveries set lease_until = clock_timestamp() where stream_id = $1`, [id]);
    await eventually(async () => expect((await streams.health(id)).replay.finished_at).not.toBeNull());
  });

  it('runs once at a time', async () => {
    const { id } = await streams.createStream();
    await patch(id, { status: 'paused' });
    const ask = () => streams.api().post(`/log-streams/${id}/replay`, { from: new Date(0).toISOString() });
    const answers = await Promise.all([ask(), ask()]);
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([202, 409]);
  });

  it.each([{}, { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, { from: 'x' }])(
    'refuses %s',
    async (body) => {
      const { id } = await streams.createStream();
      expect((await streams.api().post(`/log-streams/${id}/replay`, body)).json()).toMatchObject({ statusCode: 400 });
    },
  );
});

describe('GET /log-streams/{id}/health', () => {
  it('tells how far the stream is, how fast, and what the last sends came to', async () => {
    const { id } = await streams.createStream({ format: 'JSONARRAY' });
    await streams.happen(10);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(10));
    await eventually(async () => expect((await streams.health(id)).lag.events).toBe(0));
    await eventually(async () => expect((await streams.health(id)).attempts.length).toBeGreaterThan(0));
    expect(await streams.health(id)).toMatchObject({
      status: 'active',
      state: 'healthy',
      lag: { events: 0, is_more: false, seconds: 0 },
      eta_seconds: 0,
      delivered: expect.any(Number),
      last_delivered_at: expect.any(String),
      failures: 0,
      dead_letters: 0,
      replay: null,
      attempts: expect.arrayContaining([
        expect.objectContaining({ ok: true, status: 200, first_log_id: expect.stringMatching(/^\d{56}$/) }),
      ]),
    });
    await patch(id, { status: 'paused' });
    await eventually(async () => expect((await streams.health(id)).state).toBe('paused'));
    await streams.happen(10);
    await eventually(async () => expect((await streams.health(id)).lag.events).toBeGreaterThanOrEqual(10));
  });

  it('keeps the last fifty attempts, with a kilobyte of what failed', async () => {
    streams.receiver.behave({ status: 500, body: 'x'.repeat(5_000) });
    const { id } = await streams.createStream();
    await streams.happen(1);
    await eventually(async () => expect((await streams.health(id)).attempts.length).toBeGreaterThan(0));
    const [failed] = (await streams.health(id)).attempts;
    expect(failed.body.length).toBeLessThan(1_100);
    streams.receiver.behave({ status: 200 });
    streams.world.advance(60_000);
    await streams.happen(80);
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(81));
    await eventually(async () => expect((await streams.health(id)).attempts).toHaveLength(50));
  });
});
