import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownCertificate } from '../../../../test/log-streams/certificate.ts';
import { postingContract } from '../../../../test/log-streams/posting-contract.ts';
import { type ReceivedRequest, type Receiver, startReceiver } from '../../../../test/log-streams/receiver.ts';
import { attempt, eventOf, partsOfStream } from '../../../../test/log-streams/sink-contract.ts';
import { newSigningSecret } from '../../sign-delivery.ts';
import type { Attempt, SinkParts, SinkSettings, StreamedEvent } from '../sink.ts';
import { createHttpSink, faultOfHttpSettings } from './http-sink.ts';

const readers = {
  JSONLINES: (body: string) => body.split('\n').map((line) => JSON.parse(line)),
  JSONARRAY: (body: string) => JSON.parse(body),
  JSONOBJECT: (body: string) => [JSON.parse(body)],
};
for (const [httpContentFormat, unitsOf] of Object.entries(readers)) {
  postingContract({
    name: `http, ${httpContentFormat}`,
    create: (origin, parts) =>
      createHttpSink(
        { httpEndpoint: `${origin}/events`, httpContentFormat, httpAuthorization: 'Key abc123def' },
        parts,
      ),
    unitsOf,
    secret: 'Key abc123def',
  });
}

describe('a webhook of a log stream', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  async function post(
    settings: SinkSettings,
    events: readonly StreamedEvent[] = [eventOf(1)],
    parts: Partial<SinkParts> = {},
    how: Partial<Attempt> = {},
  ): Promise<ReceivedRequest | undefined> {
    const sink = createHttpSink(
      { httpEndpoint: `${receiver.origin}/in?a=b`, ...settings },
      { ...partsOfStream, ...parts },
    );
    expect(await sink.send(events, attempt(how))).toMatchObject({ ok: true });
    return receiver.requests.at(-1);
  }

  it('is a POST of a line for each event, unless another format is asked for', async () => {
    const request = await post({}, [eventOf(1), eventOf(2)]);
    expect(request).toMatchObject({ method: 'POST', path: '/in?a=b', headers: { 'content-type': 'application/json' } });
    expect(request?.body.split('\n').map((line) => Object.keys(JSON.parse(line)))).toEqual([
      ['log_id', 'data'],
      ['log_id', 'data'],
    ]);
  });

  it('carries the authorization as it was given, the content type and the headers of the stream', async () => {
    const request = await post({
      httpAuthorization: 'a b, c="d"',
      httpContentType: 'application/x-ndjson',
      httpCustomHeaders: [{ header: 'X-Tenant', value: 'dev' }],
    });
    expect(request?.headers).toMatchObject({
      authorization: 'a b, c="d"',
      'content-type': 'application/x-ndjson',
      'x-tenant': 'dev',
    });
  });

  it('is signed with both keys of a rotation, with the same id at each attempt', async () => {
    const signingSecrets = [newSigningSecret(), newSigningSecret()];
    const first = await post({}, [eventOf(1), eventOf(2)], { signingSecrets });
    const now = () => new Date('2026-11-22T12:05:00.000Z');
    const second = await post({}, [eventOf(1), eventOf(2)], { signingSecrets, now }, { number: 2, isReplay: true });
    expect(first?.headers['webhook-id']).toBe(`${eventOf(1).logId}-2`);
    expect(second?.headers['webhook-id']).toBe(`${eventOf(1).logId}-2`);
    expect([first, second].map((request) => request?.headers['webhook-timestamp'])).toEqual([
      '1795348800',
      '1795349100',
    ]);
    expect(first?.headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    expect([first, second].map((request) => request?.headers['webhook-replay'])).toEqual([undefined, 'true']);
  });

  it('is not sent to a receiver whose certificate nobody vouches for', async () => {
    const stranger = await startReceiver(await ownCertificate());
    const sink = createHttpSink({ httpEndpoint: stranger.origin, splunkSecure: false }, partsOfStream);
    expect(await sink.send([eventOf(1)], attempt())).toMatchObject({ ok: false, verdict: 'retry' });
    await stranger.close();
    expect(stranger.requests).toEqual([]);
  });

  it('takes no header of a stored stream that belongs to the connection', async () => {
    const strange = ['Host', 'Content-Length', 'Transfer-Encoding', 'webhook-id', 'a b', 'x\r\ny'];
    const request = await post({ httpCustomHeaders: strange.map((header) => ({ header, value: 'evil' })) });
    expect(JSON.stringify(request?.headers)).not.toContain('evil');
  });
});

describe('the settings of a webhook', () => {
  const endpoint = { httpEndpoint: 'https://example.com/logs' };

  it('are right with an address alone, and with all there is', () => {
    const all = { httpAuthorization: 'Bearer x', httpContentType: 'text/plain', httpContentFormat: 'JSONARRAY' };
    const httpCustomHeaders = [{ header: 'x-a', value: '' }];
    expect([endpoint, { ...endpoint, ...all, httpCustomHeaders }].map(faultOfHttpSettings)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it.each([
    [{}],
    [{ httpEndpoint: 'ftp://example.com' }],
    [{ httpEndpoint: 'https://user:password@example.com' }],
    [{ httpEndpoint: `https://example.com/${'x'.repeat(3_000)}` }],
    [{ ...endpoint, httpAuthorization: 'a\r\nx-b: c' }],
    [{ ...endpoint, httpAuthorization: 'x'.repeat(5_000) }],
    [{ ...endpoint, httpContentType: 'text/plain\n' }],
    [{ ...endpoint, httpCustomHeaders: 'x-a: b' }],
    [{ ...endpoint, httpCustomHeaders: [{ header: 'host', value: 'a' }] }],
    [{ ...endpoint, httpCustomHeaders: [{ header: 'Webhook-Signature', value: 'a' }] }],
    [{ ...endpoint, httpCustomHeaders: [{ header: 'x-a', value: 'é' }] }],
    [{ ...endpoint, httpCustomHeaders: [{ header: '', value: 'a' }] }],
    [{ ...endpoint, httpCustomHeaders: Array.from({ length: 21 }, () => ({ header: 'x-a', value: 'a' })) }],
  ])('are wrong: %j', (settings) => {
    expect(faultOfHttpSettings(settings)).toMatch(/^http\w+(:| must) /);
  });
});
