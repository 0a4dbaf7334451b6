import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownCertificate } from '../../../../test/log-streams/certificate.ts';
import {
  attempt,
  eventOf,
  networkContract,
  partsOfStream,
  sinkContract,
} from '../../../../test/log-streams/sink-contract.ts';
import { type SyslogReceiver, startSyslogReceiver } from '../../../../test/log-streams/syslog-receiver.ts';
import type { SinkSettings } from '../sink.ts';
import { createSyslogSink, faultOfSyslogSettings } from './syslog-sink.ts';

const tls = await ownCertificate();
const transports: [string, typeof tls | undefined, SinkSettings][] = [
  ['TCP', undefined, { syslogSecure: false }],
  ['TLS', tls, { syslogCa: tls.cert }],
];

for (const [name, certificate, settings] of transports) {
  sinkContract(`syslog over ${name}`, async () => {
    const receiver = await startSyslogReceiver(certificate);
    return {
      create: (parts) =>
        createSyslogSink({ ...settings, syslogHost: '127.0.0.1', syslogPort: String(receiver.port) }, parts),
      arrived: () => receiver.messages().map(unitOf),
      stop: receiver.close,
    };
  });

  networkContract(`syslog over ${name}`, async () => {
    const receiver = await startSyslogReceiver(certificate);
    return {
      create: (parts, target) =>
        createSyslogSink(
          { ...settings, syslogHost: target?.host ?? 'localhost', syslogPort: target?.port ?? receiver.port },
          parts,
        ),
      behave: receiver.behave,
      count: receiver.connections,
      stop: receiver.close,
    };
  });

  describe(`a stream to syslog over ${name}`, () => {
    let receiver: SyslogReceiver;
    beforeAll(async () => {
      receiver = await startSyslogReceiver(certificate);
    });
    beforeEach(() => receiver.behave('read'));
    afterAll(() => receiver.close());

    const sinkWith = (more: SinkSettings = {}, timeoutMilliseconds?: number) =>
      createSyslogSink(
        { ...settings, syslogHost: 'localhost', syslogPort: receiver.port, ...more },
        { ...partsOfStream, timeoutMilliseconds },
      );

    it('sends messages of RFC 5424', async () => {
      const event = eventOf(1, {
        type: 'fp',
        hostname: 'login.example.com',
        client_id: 'a"b\\c]d',
        user_id: 'auth0|1\n2',
        ip: '192.0.2.1',
      });
      await sinkWith().send([event], attempt());
      expect(receiver.messages().at(-1)).toBe(
        `<107>1 2026-11-22T11:00:00.001Z login.example.com gatewright - fp [gatewright@32473 log_id="${event.logId}" tenant="dev" type="fp" client_id="a\\"b\\\\c\\]d" user_id="auth0|1#0122" ip="192.0.2.1"] ${JSON.stringify({ log_id: event.logId, data: event.data })}`,
      );
    });

    it('uses the facility that it is told, and its event has the severity of its level', async () => {
      await sinkWith({ syslogFacility: 4 }).send([eventOf(1, { type: 'limit_wc' })], attempt());
      expect(receiver.messages().at(-1)).toMatch(/^<34>1 /);
    });

    it.each(['keep-open', 'break', 'flood'] as const)(
      'has delivered nothing where the receiver would %s',
      // TLS ends as it breaks: only the time tells them apart, and a busy machine lets that pass.
      { retry: 3 },
      async (how) => {
        receiver.behave(how);
        expect(await sinkWith({}, 300).send([eventOf(1)], attempt())).toMatchObject({ ok: false, verdict: 'retry' });
      },
    );
  });
}

describe('a stream to syslog over TLS', () => {
  it('sends nothing to a receiver that it has no reason to trust', async () => {
    const receiver = await startSyslogReceiver(tls);
    const settings = { syslogHost: 'localhost', syslogPort: receiver.port };
    const other = await ownCertificate();
    for (const syslogCa of [undefined, other.cert]) {
      const sink = createSyslogSink({ ...settings, ...(syslogCa && { syslogCa }) }, partsOfStream);
      expect(await sink.send([eventOf(1)], attempt())).toMatchObject({ ok: false, verdict: 'retry' });
    }
    await receiver.close();
    expect(receiver.messages()).toEqual([]);
  });
});

describe('the settings of a syslog stream', () => {
  const syslogHost = 'logs.example.com';

  it('are right with a host alone, and with all there is', () => {
    const all = { syslogHost, syslogPort: 6_514, syslogSecure: true, syslogFacility: 0, syslogCa: tls.cert };
    expect([{ syslogHost }, all].map(faultOfSyslogSettings)).toEqual([undefined, undefined]);
  });

  it.each([
    [{}],
    [{ syslogHost: 'a b' }],
    [{ syslogHost: 'https://logs.example.com' }],
    [{ syslogHost, syslogPort: 0 }],
    [{ syslogHost, syslogPort: 'ssh' }],
    [{ syslogHost, syslogFacility: 24 }],
    [{ syslogHost, syslogFacility: 1.5 }],
    [{ syslogHost, syslogSecure: 'yes' }],
    [{ syslogHost, syslogCa: 'no certificate' }],
    [{ syslogHost, syslogCa: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
  ])('are wrong: %j', (settings) => {
    expect(faultOfSyslogSettings(settings)).toMatch(/^syslog\w+ must be /);
  });
});

/** The message of RFC 5424 section 6: what stands behind header and structured data. */
function unitOf(message: string) {
  const parts =
    /^<\d{1,3}>1 (?:[\x21-\x7e]+ ){5}\[gatewright@32473(?: [a-z_]+="(?:[^"\\\]]|\\["\\\]])*")*\] ([\x20-\x7e]*)$/u;
  const [, text = ''] = parts.exec(message) ?? [];
  return JSON.parse(text);
}
