import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, Delivery, Sink, SinkParts, StreamedEvent } from '../../src/log-streams/sinks/sink.ts';
import { createOutgoing } from '../../src/outgoing/http-client.ts';

/** A unit as every format carries it. */
export interface Arrival {
  readonly log_id: string;
  readonly data: unknown;
}

export interface SinkUnderTest {
  /** Settings and parts of a stream that works, but for what is said. */
  create(parts: SinkParts): Sink;
  /** What has arrived, in its order. */
  arrived(): Arrival[] | Promise<Arrival[]>;
  stop(): Promise<void>;
}

const outgoing = createOutgoing({ allowed: [] });

/** What a stream of a development tenant gives its sink. */
export const partsOfStream: SinkParts = {
  tenantId: 'dev',
  streamId: 'lst_0000000000014000',
  callOut: outgoing.callOut,
  connectOut: outgoing.connectOut,
  now: () => new Date('2026-11-22T12:00:00.000Z'),
  mayReachLoopback: true,
  folder: '/nowhere',
  signingSecrets: [],
};

export function attempt(more: Partial<Attempt> = {}): Attempt {
  return { number: 1, isReplay: false, signal: new AbortController().signal, ...more };
}

export function eventOf(number: number, data: Record<string, unknown> = {}): StreamedEvent {
  const logId = `900${String(number).padStart(53, '0')}`;
  const at = new Date(Date.parse('2026-11-22T11:00:00.000Z') + number);
  const record = { date: at.toISOString(), type: 's', log_id: logId, ...data };
  return { logId, at, tenantId: 'dev', data: record, json: JSON.stringify(record) };
}

const HOSTILE = {
  description: 'two\nlines\r\n] "quoted" \\ \u0000 \u2028 \u007f <script> 12 <110>1',
  user_name: 'Åda Lovelace 🦊 \ud83e\udd8a',
  hostname: 'a host\nwith [everything]"=]',
  client_id: '"]\\ \n x',
  details: { nested: [{ deep: [1, -2.5, true, null, 'ß', {}, []] }], '': 'no name', number: 1e21 },
};

/** What every sink keeps, whatever it speaks. */
export function sinkContract(name: string, start: () => Promise<SinkUnderTest>): void {
  describe(`a sink: ${name}`, () => {
    let under: SinkUnderTest;
    const sinks: Sink[] = [];
    const create = (more: Partial<SinkParts> = {}) => {
      const sink = under.create({ ...partsOfStream, ...more });
      sinks.push(sink);
      return sink;
    };
    beforeAll(async () => {
      under = await start();
    });
    afterEach(async () => {
      for (const sink of sinks.splice(0)) await sink.close();
    });
    afterAll(() => under.stop());

    /** What arrives of these, as units. */
    async function deliver(sink: Sink, events: readonly StreamedEvent[], how = attempt()): Promise<Arrival[]> {
      const before = (await under.arrived()).length;
      for (let at = 0; at < events.length; at += sink.mostEvents)
        expect(await sink.send(events.slice(at, at + sink.mostEvents), how)).toMatchObject({ ok: true });
      return (await under.arrived()).slice(before);
    }

    it('delivers every event, unchanged and in its order', async () => {
      const events = [eventOf(1), eventOf(2, { type: 'fp', details: { a: [1] } }), eventOf(3)];
      expect(await deliver(create(), events)).toEqual(events.map(({ logId, data }) => ({ log_id: logId, data })));
    });

    it('delivers as many at once as it says', async () => {
      const sink = create();
      const events = Array.from({ length: sink.mostEvents }, (_, index) => eventOf(100 + index));
      expect((await deliver(sink, events)).map(({ log_id }) => log_id)).toEqual(events.map(({ logId }) => logId));
    });

    it('takes texts that could end a line, a string or a message', async () => {
      const events = [eventOf(10, HOSTILE), eventOf(11)];
      const expected = events.map(({ logId, data }) => ({ log_id: logId, data }));
      expect(await deliver(create(), events)).toEqual(JSON.parse(JSON.stringify(expected)));
    });

    it('delivers an event again with the id that it had', async () => {
      const sink = create();
      const [first] = await deliver(sink, [eventOf(20)]);
      const [again] = await deliver(sink, [eventOf(20)], attempt({ number: 2 }));
      expect(again).toEqual(first);
    });

    it('sends nothing when it is stopped before it begins', async () => {
      const before = (await under.arrived()).length;
      const stopped = await create().send([eventOf(30)], attempt({ signal: AbortSignal.abort() }));
      expect(stopped).toMatchObject({ ok: false, verdict: 'retry' });
      expect(await under.arrived()).toHaveLength(before);
    });

    it('can be closed twice', async () => {
      const sink = create();
      await deliver(sink, [eventOf(40)]);
      await sink.close();
      await expect(sink.close()).resolves.toBeUndefined();
    });
  });
}

interface NetworkUnderTest {
  /** A stream to this host and port, where they are not the receiver's. */
  create(parts: SinkParts, target?: { readonly host: string; readonly port?: number }): Sink;
  behave(how: 'hang' | 'close'): void;
  /** Requests or connections that came. */
  count(): number;
  stop(): Promise<void>;
}

/** What every sink with a network behind it survives (attack E1 and receivers that misbehave). */
export function networkContract(name: string, start: () => Promise<NetworkUnderTest>): void {
  describe(`a sink with a network behind it: ${name}`, () => {
    let under: NetworkUnderTest;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.stop());

    const send = (more: Partial<SinkParts> = {}, target?: { host: string; port?: number }): Promise<Delivery> =>
      under.create({ ...partsOfStream, ...more }, target).send([eventOf(1)], attempt());

    it.each([
      '127.0.0.1',
      'localhost',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0x7f000001',
      '169.254.169.254',
      '10.0.0.1',
    ])('does not go to %s for a tenant that may not', async (host) => {
      const before = under.count();
      expect(await send({ mayReachLoopback: false }, { host })).toMatchObject({ ok: false, verdict: 'hold' });
      expect(under.count()).toBe(before);
    });

    it.each(['169.254.169.254', '10.0.0.1', '[::]'])('does not go to %s for a development tenant', async (host) => {
      expect(await send({}, { host })).toMatchObject({ ok: false, verdict: 'hold' });
    });

    it('goes nowhere with a name of which one address is private, and asks once', async () => {
      const before = under.count();
      const asked: string[] = [];
      const rebinding = createOutgoing({
        allowed: [],
        resolve: async (hostname) => {
          asked.push(hostname);
          return [
            { address: asked.length === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 },
            { address: '10.0.0.1', family: 4 },
          ];
        },
      });
      const parts = { ...rebinding, mayReachLoopback: false };
      expect(await send(parts, { host: 'rebind.example' })).toMatchObject({ ok: false, verdict: 'hold' });
      expect([asked, under.count()]).toEqual([['rebind.example'], before]);
      await rebinding.stop();
    });

    it('tries again where nobody listens', async () => {
      const refused = await send({}, { host: '127.0.0.1', port: 1 });
      expect(refused).toMatchObject({ ok: false, verdict: 'retry' });
    });

    it.each(['hang', 'close'] as const)('tries again where the receiver would %s', async (how) => {
      under.behave(how);
      expect(await send({ timeoutMilliseconds: 300 })).toMatchObject({ ok: false, verdict: 'retry' });
    });

    it('ends at once when it is stopped', async () => {
      under.behave('hang');
      const stop = new AbortController();
      const before = under.count();
      const sending = under.create(partsOfStream).send([eventOf(1)], attempt({ signal: stop.signal }));
      await expect.poll(() => under.count()).toBeGreaterThan(before);
      stop.abort();
      expect(await sending).toMatchObject({ ok: false, verdict: 'retry', problem: 'The attempt was stopped.' });
    });
  });
}
