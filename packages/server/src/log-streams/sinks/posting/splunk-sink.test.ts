import { describe, expect, it } from 'vitest';
import { ownCertificate } from '../../../../test/log-streams/certificate.ts';
import { postingContract } from '../../../../test/log-streams/posting-contract.ts';
import { startReceiver } from '../../../../test/log-streams/receiver.ts';
import { attempt, eventOf, partsOfStream } from '../../../../test/log-streams/sink-contract.ts';
import { createSplunkSink, faultOfSplunkSettings } from './splunk-sink.ts';

const tls = await ownCertificate();
const settings = { splunkToken: '8a6b2c1e-0000-4000-8000-1d2c3b4a5f60', splunkSecure: false };

postingContract({
  name: 'splunk',
  create: (origin, parts) => {
    const [host = '', port] = origin.replace('https://', '').split(/:(?=\d+$)/);
    return createSplunkSink({ ...settings, splunkDomain: host, splunkPort: port }, parts);
  },
  unitsOf: (body) => body.split('\n').map((line) => JSON.parse(line).event),
  secret: settings.splunkToken,
  tls,
});

describe('a stream to Splunk', () => {
  it('posts JSON objects to the HTTP Event Collector, with its token', async () => {
    const receiver = await startReceiver(tls);
    const target = { splunkDomain: 'localhost', splunkPort: String(receiver.port) };
    const sink = createSplunkSink({ ...settings, ...target }, partsOfStream);
    await sink.send([eventOf(1, { hostname: 'login.example.com' })], attempt());
    await receiver.close();
    const [request] = receiver.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/services/collector/event',
      headers: { authorization: `Splunk ${settings.splunkToken}` },
    });
    const { logId, data } = eventOf(1, { hostname: 'login.example.com' });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      time: 1_795_345_200.001,
      host: 'login.example.com',
      source: 'auth0',
      event: { log_id: logId, data },
    });
  });

  it('sends nothing to a collector that shows a certificate of its own, unless it is told to', async () => {
    const receiver = await startReceiver(tls);
    const target = { splunkDomain: 'localhost', splunkPort: String(receiver.port), splunkSecure: true };
    const sink = createSplunkSink({ ...settings, ...target }, partsOfStream);
    expect(await sink.send([eventOf(1)], attempt())).toMatchObject({ ok: false, verdict: 'retry' });
    await receiver.close();
    expect(receiver.requests).toEqual([]);
  });

  it('needs a host, a token, and a port that there can be', () => {
    const all = { splunkDomain: 'splunk.example.com', splunkPort: '8088', splunkToken: 'x', splunkSecure: true };
    expect([all, { ...all, splunkPort: '' }].map(faultOfSplunkSettings)).toEqual([undefined, undefined]);
    const wrong = [
      { ...all, splunkDomain: 'example.com/path?' },
      { ...all, splunkDomain: 'user@example.com' },
      { ...all, splunkPort: '0' },
      { ...all, splunkPort: '99999' },
      { ...all, splunkToken: '' },
      { ...all, splunkToken: 'a\r\nb' },
    ];
    expect(wrong.map((one) => faultOfSplunkSettings(one)?.split(' ')[0])).toEqual([
      'splunkDomain',
      'splunkDomain',
      'splunkPort',
      'splunkPort',
      'splunkToken',
      'splunkToken',
    ]);
  });
});
