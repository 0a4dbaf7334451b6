import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery, Sink, SinkParts } from '../../src/log-streams/sinks/sink.ts';
import { type Behaviour, type Receiver, startReceiver } from './receiver.ts';
import { type Arrival, attempt, eventOf, networkContract, partsOfStream, sinkContract } from './sink-contract.ts';

interface PostingSinkUnderTest {
  readonly name: string;
  /** A stream that sends to this origin. */
  create(origin: string, parts: SinkParts): Sink;
  /** The units in a body. */
  unitsOf(body: string): Arrival[];
  /** A secret of these settings, which the receiver sees. */
  readonly secret?: string;
  /** Where the receiver has to speak TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** All three contracts, for a sink that sends with HTTP. */
export function postingContract({ name, create, unitsOf, secret, tls }: PostingSinkUnderTest): void {
  const scheme = tls ? 'https' : 'http';

  sinkContract(name, async () => {
    const receiver = await startReceiver(tls);
    return {
      create: (parts) => create(receiver.origin, parts),
      arrived: () => receiver.requests.flatMap(({ body }) => unitsOf(body)),
      stop: receiver.close,
    };
  });

  networkContract(name, async () => {
    const receiver = await startReceiver(tls);
    return {
      create: (parts, target) =>
        create(target ? `${scheme}://${target.host}:${target.port ?? receiver.port}` : receiver.origin, parts),
      behave: receiver.behave,
      count: () => receiver.requests.length,
      stop: receiver.close,
    };
  });

  describe(`a sink that posts: ${name}`, () => {
    let receiver: Receiver;
    beforeAll(async () => {
      receiver = await startReceiver(tls);
    });
    beforeEach(() => receiver.behave({ status: 200 }));
    afterAll(() => receiver.close());

    const send = (how: Behaviour, parts: Partial<SinkParts> = {}): Promise<Delivery> => {
      receiver.behave(how);
      return create(receiver.origin, { ...partsOfStream, ...parts }).send([eventOf(1)], attempt());
    };

    it.each([200, 201, 202, 204])('has delivered what is answered with %i', async (status) => {
      expect(await send({ status })).toMatchObject({ ok: true, status });
    });

    it.each([
      [301, 'hold'],
      [307, 'hold'],
      [304, 'hold'],
      [400, 'hold'],
      [401, 'hold'],
      [403, 'hold'],
      [404, 'hold'],
      [413, 'hold'],
      [408, 'retry'],
      [410, 'gone'],
      [429, 'throttle'],
      [500, 'retry'],
      [502, 'throttle'],
      [503, 'retry'],
      [504, 'throttle'],
      [599, 'retry'],
    ] as const)('takes %i for a failure: %s', async (status, verdict) => {
      expect(await send({ status, body: 'no' })).toMatchObject({ ok: false, status, verdict });
    });

    it('waits as long as the receiver says, and an hour at most', async () => {
      const waits = [];
      for (const wait of ['7', 'Sun, 22 Nov 2026 12:02:00 GMT', '999999999', '-1', 'soon', '0']) {
        const failure = await send({ status: 429, headers: { 'retry-after': wait } });
        waits.push(failure.ok ? 'delivered' : failure.retryAfterMilliseconds);
      }
      expect(waits).toEqual([7_000, 120_000, 3_600_000, undefined, undefined, 0]);
    });

    it('follows no redirect', async () => {
      const before = receiver.requests.length;
      await send({ status: 308, headers: { location: `${receiver.origin}/elsewhere` } });
      expect(receiver.requests.length - before).toBe(1);
    });

    it.each(['tear', 'drip', 'flood'] as const)('takes 200 for an answer, though its body would %s', async (how) => {
      // A drip goes on until then; the answer itself is to come long before.
      const limit = how === 'drip' ? { timeoutMilliseconds: 1_500 } : {};
      expect(await send(how, limit)).toMatchObject({ ok: true, status: 200 });
    });

    it('reads next to nothing of 100 MB', async () => {
      const before = receiver.bytesFlooded();
      await send('flood');
      await expect.poll(() => receiver.open()).toBe(0);
      expect(receiver.bytesFlooded() - before).toBeLessThan(20_000_000);
    });

    it('unpacks nothing', async () => {
      const headers = { 'content-encoding': 'gzip' };
      expect(await send({ status: 500, headers, body: 'no gzip at all' })).toEqual({
        ok: false,
        status: 500,
        verdict: 'retry',
        problem: 'The receiver answered with the status 500.',
      });
    });

    it('keeps a thousand characters of what went wrong, without its own secrets', async () => {
      const shown = await send({ status: 500, body: `${secret} Bearer abcdefghijkl ${'x'.repeat(5_000)}` });
      const text = shown.ok ? '' : (shown.body ?? '');
      expect(text.length).toBeGreaterThan(500);
      expect(text.length).toBeLessThanOrEqual(1_020);
      expect(text).not.toContain('abcdefghijkl');
      if (secret !== undefined) expect(text).not.toContain(secret);
    });
  });
}
