import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../../bench/program.ts';
import type { SinkReport, SinkTask } from '../../bench/programs/sink.ts';
import { startReceiver } from '../log-streams/receiver.ts';
import { eventually, type StreamWorld, startStreamWorld } from '../log-streams/stream-world.ts';
import { passwordGrant } from '../protocol.ts';

const EVENTS = Number(process.env.FAULT_ROUNDS ?? 10) * 20_000;
const HOUR = 3_600_000;
const BAD = ['hang', 'drip', 'tear', 'flood', 'close'] as const;

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());

describe('receivers that hang, drip, tear, close and flood (F5)', () => {
  it('hold a slot for 16 seconds at most, take no memory, and leave the others alone', async () => {
    // Streams to one host share its limit: the bad ones have their own.
    const receiver = await startReceiver();
    onTestFinished(() => receiver.close());
    receiver.behave(({ path }) => BAD.find((how) => path === `/${how}`) ?? { status: 200 });
    const bad: string[] = [];
    for (const how of BAD) {
      const sink = { httpEndpoint: `${receiver.origin}/${how}`, httpContentFormat: 'JSONOBJECT' };
      bad.push((await streams.api().post('/log-streams', { name: how, type: 'http', sink })).json().id);
    }
    await streams.createStream({ path: '/well' });
    const before = process.memoryUsage().rss;
    await streams.happen(300);
    await eventually(() => expect(streams.ofType('s', '/well')).toHaveLength(300));
    // Real time: these limits are not the clock's.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    for (const id of bad)
      for (const { took_ms } of (await streams.health(id)).attempts) expect(took_ms).toBeLessThan(16_000);
    await streams.happen(100);
    await eventually(() => expect(streams.ofType('s', '/well')).toHaveLength(400));
    const grown = (process.memoryUsage().rss - before) / 1_000_000;
    console.info(`bad receivers: memory grew by ${grown.toFixed(0)} MB, ${receiver.bytesFlooded()} bytes were taken`);
    expect(grown).toBeLessThan(150);
    await streams.clean();
  });
});

describe('a stream whose receiver was down for a day', () => {
  it(`and is ${EVENTS} events behind catches up in batches, untouched, while people log in`, async () => {
    const { world } = streams;
    const sink = startProgram<SinkTask, SinkReport>('sink');
    onTestFinished(sink.stop);
    const { port } = await sink.run({ status: 500, looksInside: true });
    const made = await streams.api().post('/log-streams', {
      name: 'Down for a day',
      type: 'http',
      sink: { httpEndpoint: `http://127.0.0.1:${port}/`, httpContentFormat: 'JSONLINES' },
      filters: [{ type: 'category', name: 'auth.login.success' }],
    });
    const { id } = made.json();
    const before = (await streams.written()).length;
    for (let hour = 0; hour < 24; hour++) {
      await world.database.pool.query(
        `insert into log_events (tenant_id, type, user_id, body)
         select 'dev', 's', 'auth0|' || n % 5000, jsonb_build_object('details', repeat(md5(n::text), 21))
         from generate_series(1, $1::integer) n`,
        [Math.ceil(EVENTS / 24)],
      );
      world.advance(HOUR);
      world.app.streams.wake();
      await eventually(async () => expect((await streams.health(id)).failures).toBeGreaterThan(hour / 2));
    }
    const written = (await streams.written()).length - before;
    expect(await streams.health(id)).toMatchObject({ status: 'active', state: 'degraded' });

    // Nobody does anything about it from here on but repair the receiver, and time goes by.
    const logins: number[] = [];
    await sink.run({ forget: true, status: 200 });
    world.advance(301_000);
    const began = performance.now();
    for (;;) {
      const started = performance.now();
      expect((await passwordGrant(world, { scope: 'openid' })).statusCode).toBe(200);
      logins.push(performance.now() - started);
      if ((await sink.run({})).distinct >= written) break;
      expect(performance.now() - began).toBeLessThan(900_000);
    }
    const seconds = (performance.now() - began) / 1_000;
    const report = await sink.run({});
    await eventually(async () => expect(await streams.health(id)).toMatchObject({ state: 'healthy', failures: 0 }));
    const slowest = Math.max(...logins);
    console.info(
      `a day behind: ${written} events in ${seconds.toFixed(1)} s (${(written / seconds).toFixed(0)}/s, ${report.requests} POSTs), ${logins.length} logins meanwhile, the slowest ${slowest.toFixed(0)} ms`,
    );
    expect(report.distinct).toBe(written);
    expect(report.requests).toBeLessThan(written / 100);
    const turns: Record<string, unknown>[] = (await streams.api().get('/logs?q=type:wn')).json();
    const states = turns
      .filter(({ details }) => Object(details).log_stream?.id === id)
      .map(({ details }) => Object(details).state);
    expect(states.toReversed()).toEqual(['degraded', 'recovered']);
  });
});
