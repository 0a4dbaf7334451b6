import { describe, expect, it } from 'vitest';
import { postingContract } from '../../../../test/log-streams/posting-contract.ts';
import { startReceiver } from '../../../../test/log-streams/receiver.ts';
import { attempt, eventOf, partsOfStream } from '../../../../test/log-streams/sink-contract.ts';
import type { OutgoingRequest } from '../../../outgoing/http-client.ts';
import { createDatadogSink, faultOfDatadogSettings } from './datadog-sink.ts';

const settings = { datadogApiKey: '0123456789abcdef0123456789abcdef', datadogRegion: 'eu' };

postingContract({
  name: 'datadog',
  create: (origin, parts) => createDatadogSink(settings, { ...parts, datadogAddress: origin }),
  unitsOf: (body) => JSON.parse(body).map(({ message }: { message: string }) => JSON.parse(message)),
  secret: settings.datadogApiKey,
});

describe('a stream to Datadog', () => {
  it('posts entries of its log intake, with the key in a header', async () => {
    const receiver = await startReceiver();
    const sink = createDatadogSink(settings, { ...partsOfStream, datadogAddress: receiver.origin });
    await sink.send([eventOf(1, { hostname: 'login.example.com' }), eventOf(2)], attempt());
    await receiver.close();
    const [request] = receiver.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/api/v2/logs',
      headers: { 'content-type': 'application/json', 'dd-api-key': settings.datadogApiKey },
    });
    const { logId, data } = eventOf(1, { hostname: 'login.example.com' });
    expect(JSON.parse(request?.body ?? '')[0]).toEqual({
      ddsource: 'auth0',
      service: 'auth0',
      ddtags: 'tenant:dev',
      hostname: 'login.example.com',
      message: JSON.stringify({ log_id: logId, data }),
    });
    expect(JSON.parse(request?.body ?? '')[1]).toMatchObject({ hostname: 'dev' });
  });

  it('compresses what is worth it', async () => {
    const receiver = await startReceiver();
    const sink = createDatadogSink(settings, { ...partsOfStream, datadogAddress: receiver.origin });
    await sink.send([eventOf(1)], attempt());
    await sink.send(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => eventOf(number)),
      attempt(),
    );
    await receiver.close();
    expect(receiver.requests.map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip']);
  });

  it.each([
    ['us', 'https://http-intake.logs.datadoghq.com/api/v2/logs'],
    ['eu', 'https://http-intake.logs.datadoghq.eu/api/v2/logs'],
    ['us3', 'https://http-intake.logs.us3.datadoghq.com/api/v2/logs'],
    ['us5', 'https://http-intake.logs.us5.datadoghq.com/api/v2/logs'],
  ])('goes to the region %s', async (datadogRegion, address) => {
    const calls: OutgoingRequest[] = [];
    const sink = createDatadogSink(
      { ...settings, datadogRegion },
      {
        ...partsOfStream,
        callOut: async (call) => {
          calls.push(call);
          return { status: 202, headers: {}, body: Buffer.from('{}') };
        },
      },
    );
    await sink.send([eventOf(1)], attempt());
    expect(calls.map(({ url }) => url)).toEqual([address]);
  });

  it('needs a key and a region that there is', () => {
    expect(faultOfDatadogSettings(settings)).toBeUndefined();
    const wrong = [
      { ...settings, datadogApiKey: '' },
      { ...settings, datadogRegion: 'mars' },
    ];
    expect(wrong.map(faultOfDatadogSettings)).toEqual([
      'datadogApiKey must be given.',
      'datadogRegion must be one of us, eu, us3, us5.',
    ]);
    expect(faultOfDatadogSettings({ ...settings, datadogApiKey: 'a\nb' })).toMatch(/^datadogApiKey must be a header/);
  });
});
