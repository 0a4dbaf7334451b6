import { describe, expect, it } from 'vitest';
import { postingContract } from '../../../../test/log-streams/posting-contract.ts';
import { startReceiver } from '../../../../test/log-streams/receiver.ts';
import { type Arrival, attempt, eventOf, partsOfStream } from '../../../../test/log-streams/sink-contract.ts';
import { createOtlpSink, faultOfOtlpSettings } from './otlp-sink.ts';

postingContract({
  name: 'otlp',
  create: (origin, parts) =>
    createOtlpSink(
      { otlpEndpoint: `${origin}/v1/logs`, otlpHeaders: [{ header: 'api-key', value: 'k-0123456789' }] },
      parts,
    ),
  unitsOf: (body) => recordsOf(body).map(toUnit),
  secret: 'k-0123456789',
});

describe('a stream to an OpenTelemetry collector', () => {
  async function exported(answer: { status: number; body?: string }, ...events: ReturnType<typeof eventOf>[]) {
    const receiver = await startReceiver();
    receiver.behave(answer);
    const sink = createOtlpSink({ otlpEndpoint: `${receiver.origin}/v1/logs` }, partsOfStream);
    const delivery = await sink.send(events, attempt());
    await receiver.close();
    return { delivery, request: receiver.requests[0] };
  }

  it('exports log records of its tenant, in the JSON of OTLP', async () => {
    const event = eventOf(1, { type: 'fp', ip: '192.0.2.1', user_id: 'auth0|1', description: 'Wrong password.' });
    const { request } = await exported({ status: 200 }, event);
    expect(request).toMatchObject({ path: '/v1/logs', headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      resourceLogs: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'gatewright' } },
              { key: 'service.namespace', value: { stringValue: 'dev' } },
              { key: 'tenant', value: { stringValue: 'dev' } },
            ],
          },
          scopeLogs: [
            {
              scope: { name: 'gatewright.audit' },
              logRecords: [
                {
                  timeUnixNano: '1795345200001000000',
                  observedTimeUnixNano: '1795345200001000000',
                  severityNumber: 17,
                  severityText: 'ERROR',
                  body: expect.objectContaining({ kvlistValue: expect.anything() }),
                  attributes: [
                    { key: 'log.record.uid', value: { stringValue: event.logId } },
                    { key: 'log_id', value: { stringValue: event.logId } },
                    { key: 'type', value: { stringValue: 'fp' } },
                    { key: 'client.address', value: { stringValue: '192.0.2.1' } },
                    { key: 'user.id', value: { stringValue: 'auth0|1' } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it.each([
    ['sv', 5, 'DEBUG'],
    ['s', 9, 'INFO'],
    ['w', 13, 'WARN'],
    ['f', 17, 'ERROR'],
    ['limit_wc', 21, 'FATAL'],
    ['a_type_of_tomorrow', 9, 'INFO'],
  ])('gives %s the severity %i, %s', async (type, severityNumber, severityText) => {
    const { request } = await exported({ status: 200 }, eventOf(1, { type }));
    expect(recordsOf(request?.body ?? '')).toMatchObject([{ severityNumber, severityText }]);
  });

  it('tells of records that the collector dropped, and does not send them again', async () => {
    const body = JSON.stringify({ partialSuccess: { rejectedLogRecords: '1', errorMessage: 'too old' } });
    const { delivery } = await exported({ status: 200, body }, eventOf(1));
    expect(delivery).toEqual({ ok: true, status: 200, note: 'The collector rejected 1 records. too old' });
  });

  it.each(['{}', '', 'not JSON', '[]', '{"partialSuccess":{}}', '{"partialSuccess":{"rejectedLogRecords":0}}'])(
    'has nothing to tell where the collector answers %j',
    async (body) => {
      expect((await exported({ status: 200, body }, eventOf(1))).delivery).toEqual({ ok: true, status: 200 });
    },
  );

  it('needs an address and headers that can be sent', () => {
    const otlpEndpoint = 'https://otlp.example.com/v1/logs';
    expect(faultOfOtlpSettings({ otlpEndpoint })).toBeUndefined();
    expect(faultOfOtlpSettings({})).toMatch(/^otlpEndpoint must/);
    expect(faultOfOtlpSettings({ otlpEndpoint, otlpHeaders: [{ header: 'a', value: '\n' }] })).toMatch(
      /^otlpHeaders: /,
    );
  });
});

interface OtlpRecord {
  readonly attributes: readonly { readonly key: string; readonly value: Value }[];
  readonly body: Value;
}
interface Value {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly Value[] };
  readonly kvlistValue?: { readonly values: readonly { readonly key: string; readonly value: Value }[] };
}

function recordsOf(body: string): OtlpRecord[] {
  return JSON.parse(body).resourceLogs[0].scopeLogs[0].logRecords;
}

function toUnit({ attributes, body }: OtlpRecord): Arrival {
  const logId = attributes.find(({ key }) => key === 'log_id')?.value.stringValue ?? '';
  return { log_id: logId, data: plain(body) };
}

/** As a collector reads it. */
function plain(value: Value): unknown {
  if (value.kvlistValue)
    return Object.fromEntries(value.kvlistValue.values.map((member) => [member.key, plain(member.value)]));
  if (value.arrayValue) return value.arrayValue.values.map(plain);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? null;
}
