import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld, unitsOf } from '../../../test/log-streams/stream-world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

describe('a receiver that fails', () => {
  it('is asked again after longer and longer pauses, and gets everything when it is back', async () => {
    const { world, receiver } = streams;
    receiver.behave({ status: 500, body: 'out of order' });
    const { id } = await streams.createStream({ format: 'JSONARRAY' });
    await streams.happen(3);
    const pauses: number[] = [];
    for (let failure = 1; failure <= 4; failure++) {
      await failuresOf(id, failure);
      const { next_attempt_at } = await streams.health(id);
      pauses.push(new Date(next_attempt_at).getTime() - world.now().getTime());
      later(pauses.at(-1) ?? 0);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
    await failuresOf(id, 5);
    expect(await streams.health(id)).toMatchObject({ state: 'degraded', failures: 5 });
    const [last] = (await streams.health(id)).attempts;
    expect(last).toMatchObject({ ok: false, status: 500, body: 'out of order', took_ms: expect.any(Number) });

    receiver.behave({ status: 200 });
    later(16_000);
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(3));
    await eventually(async () => expect(await streams.health(id)).toMatchObject({ state: 'healthy', failures: 0 }));
    const turns = (await world.events())
      .filter(({ type }) => type === 'wn')
      .map(({ details }) => Object(details).state);
    expect(turns.slice(0, 2)).toEqual(['recovered', 'degraded']);
  });

  it('is tried with one event while it is degraded', async () => {
    const { receiver } = streams;
    receiver.behave({ status: 500 });
    const { id } = await streams.createStream({ format: 'JSONARRAY' });
    await streams.happen(20);
    for (let failure = 1; failure <= 5; failure++) {
      await failuresOf(id, failure);
      later(5 * MINUTE);
    }
    await failuresOf(id, 6);
    receiver.behave({ status: 200 });
    receiver.requests.length = 0;
    later(5 * MINUTE);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(20));
    expect(receiver.requests.map(unitsOf)[0]).toHaveLength(1);
  });

  it('is left alone for as long as its Retry-After says, an hour at most', async () => {
    const { world, receiver } = streams;
    receiver.behave({ status: 429, headers: { 'retry-after': '1800' } });
    const { id } = await streams.createStream();
    await streams.happen(1);
    await failuresOf(id, 1);
    const wait = new Date((await streams.health(id)).next_attempt_at).getTime() - world.now().getTime();
    expect(wait).toBeGreaterThanOrEqual(1_800_000);
    expect(wait).toBeLessThan(1_860_000);
  });

  it('is not asked any more when it says 410: the stream is suspended, its operator is told, and it goes on from there', async () => {
    const { world, receiver } = streams;
    receiver.behave({ status: 410 });
    const { id } = await streams.createStream();
    await streams.happen(2);
    await eventually(async () => expect((await streams.health(id)).status).toBe('suspended'));
    const [told] = (await world.events()).filter(({ type }) => type === 'fn');
    expect(told).toMatchObject({ details: { log_stream: { id }, state: 'suspended', status: 410 } });
    receiver.behave({ status: 200 });
    receiver.requests.length = 0;
    expect((await streams.api().patch(`/log-streams/${id}`, { status: 'active' })).json().status).toBe('active');
    await eventually(() => expect(streams.ofType('s')).toHaveLength(2));
  });

  it('is given up after seven days, and not before', async () => {
    const { receiver } = streams;
    receiver.behave({ status: 503 });
    const { id } = await streams.createStream();
    await streams.happen(1);
    await failuresOf(id, 1);
    later(7 * DAY - MINUTE);
    await failuresOf(id, 2);
    expect((await streams.health(id)).status).toBe('active');
    later(10 * MINUTE);
    await eventually(async () => expect((await streams.health(id)).status).toBe('suspended'));
  });

  it('that hangs holds its own sends only: other streams go on, and the stream can be deleted', async () => {
    const { receiver } = streams;
    receiver.behave(({ path }) => (path === '/hangs' ? 'hang' : { status: 200 }));
    const { id } = await streams.createStream({ path: '/hangs' });
    await streams.createStream({ path: '/well' });
    await streams.happen(40);
    await eventually(() => expect(streams.ofType('s', '/well')).toHaveLength(40));
    expect(streams.receiver.requests.filter(({ path }) => path === '/hangs').length).toBeLessThanOrEqual(20);
    expect((await streams.api().delete(`/log-streams/${id}`)).statusCode).toBe(204);
    await eventually(() => expect(receiver.open()).toBe(0));
  });
});

describe('a host some of whose streams hang', () => {
  it('goes on for its other streams, long before the sends that hang time out', async () => {
    const { receiver } = streams;
    let hangs = false;
    receiver.behave(({ path }) => (hangs && path.startsWith('/hangs') ? 'hang' : { status: 200 }));
    const ids: string[] = [];
    for (let number = 0; number < 5; number++) ids.push((await streams.createStream({ path: `/hangs-${number}` })).id);
    // It is there before: a send that hangs times out after fifteen seconds, and these are for the delivery alone.
    await streams.createStream({ path: '/well', filters: ['auth.signup.success'] });
    // Each has found out that it may send several at once, before it hangs.
    await streams.happenAtOnce(300);
    for (let number = 0; number < 5; number++)
      await eventually(() => expect(streams.ofType('s', `/hangs-${number}`)).toHaveLength(300));
    hangs = true;
    await streams.happenAtOnce(100);
    await eventually(() => expect(receiver.open()).toBe(20));
    await streams.happenAtOnce(40, { type: 'ss' });
    await eventually(() => expect(streams.ofType('ss', '/well')).toHaveLength(40));
    for (const id of ids) expect((await streams.health(id)).failures).toBe(0);
  });
});

describe('a stream of a development tenant that goes into production', () => {
  it('reaches no loopback address any more', async () => {
    const { world } = streams;
    const { id } = await streams.createStream();
    await streams.happen(1);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(1));
    await world.app.stores.tenants.setEnvironment('dev', 'production');
    await eventually(async () => {
      world.app.streams.wake();
      await streams.happen(1);
      expect((await streams.health(id)).failures).toBeGreaterThan(0);
    });
    await world.app.stores.tenants.setEnvironment('dev', 'development');
  });
});

describe('a stream whose sink is damaged', () => {
  it('stops no other one, whether it was delivered before or not', async () => {
    const damage = (id: string) =>
      streams.world.database.pool.query(
        `update log_streams set sink = '\\x00', version = version + 1 where tenant_id = 'dev' and id = $1`,
        [id],
      );
    const { id } = await streams.createStream({ path: '/damaged' });
    await streams.createStream({ path: '/well' });
    await streams.happen(1);
    await eventually(() => expect(streams.ofType('s', '/well')).toHaveLength(1));
    await damage(id);
    streams.world.app.streams.wake();
    await streams.happen(5);
    await eventually(() => expect(streams.ofType('s', '/well')).toHaveLength(6));
    const before = await streams.createStream({ path: '/before' });
    await damage(before.id);
    await streams.createStream({ path: '/also-well' });
    await streams.happen(5);
    await eventually(() => expect(streams.ofType('s', '/also-well')).toHaveLength(5));
  });
});

describe('an event that its receiver refuses while it takes others', () => {
  it('becomes a dead letter after ten tries and a quarter of an hour, the others pass, and a replay brings it', async () => {
    const { world, receiver } = streams;
    await streams.happen(1, { type: 'cs' });
    const { id } = await streams.createStream({ filters: ['auth.login.success', 'user.notification'] });
    receiver.behave(({ body }) => ({ status: body.includes('"cs"') ? 400 : 200, body: 'no such type' }));
    await streams.happen(1, { type: 'cs' });
    await streams.happen(5);
    for (let failure = 1; failure <= 11; failure++) {
      await eventually(async () => {
        const { failures, dead_letters } = await streams.health(id);
        expect(failures >= failure || dead_letters === 1).toBe(true);
      });
      later(5 * MINUTE + 1);
    }
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(5));
    expect(streams.ofType('s')).toHaveLength(5);
    const poison = (await streams.written('cs')).at(-1);
    const letters = (await streams.api().get(`/log-streams/${id}/dead-letters`)).json();
    expect(letters).toEqual([expect.objectContaining({ log_id: poison, status: 400, body: 'no such type' })]);
    expect(letters[0].tries).toBeGreaterThanOrEqual(10);
    const [told] = (await world.events()).filter(({ details }) => Object(details).log_id === poison);
    expect(told).toMatchObject({ type: 'wn', details: { log_stream: { id }, tries: letters[0].tries } });

    receiver.behave({ status: 200 });
    receiver.requests.length = 0;
    expect((await streams.api().post(`/log-streams/${id}/replay`, { only_failed: true })).statusCode).toBe(202);
    await eventually(() => expect(streams.ofType('cs')).toEqual([poison]));
    // The stream has its own turns to tell as well, when their time comes.
    const again = receiver.requests.find(({ headers }) => headers['webhook-id'] === poison);
    expect(again?.headers).toMatchObject({ 'webhook-replay': 'true' });
    await eventually(async () =>
      expect(await streams.health(id)).toMatchObject({
        dead_letters: 0,
        replay: { sent: 1, finished_at: expect.any(String) },
      }),
    );
  });

  it('is found in a batch: the others of the batch are delivered while it waits', async () => {
    const { receiver } = streams;
    const { id } = await streams.createStream({
      format: 'JSONARRAY',
      filters: ['auth.login.success', 'user.notification'],
    });
    receiver.behave({ status: 500 });
    await streams.happen(6);
    await streams.happen(1, { type: 'cs' });
    await failuresOf(id, 1);
    receiver.behave(({ body }) => ({ status: body.includes('"cs"') ? 400 : 200 }));
    await expect
      .poll(
        () => {
          later(5 * MINUTE);
          return new Set(streams.ofType('s')).size;
        },
        { interval: 300 },
      )
      .toBe(6);
  });
});

function later(milliseconds: number): void {
  streams.world.advance(milliseconds + 1);
  streams.world.app.streams.wake();
}

const failuresOf = (id: string, count: number) =>
  eventually(async () => expect((await streams.health(id)).failures).toBeGreaterThanOrEqual(count));
