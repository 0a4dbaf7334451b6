import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFrame, toSyslogMessage } from './syslog-message.ts';

const text = fc.string({ unit: 'binary', maxLength: 200 });
const data = fc.record({
  type: text,
  hostname: text,
  client_id: text,
  user_id: text,
  ip: text,
  details: fc.jsonValue(),
});

/** RFC 5424 section 6: header, structured data with its three escapes, a message. */
const MESSAGE =
  /^<\d{1,3}>1 [\x21-\x7e]+ [\x21-\x7e]{1,255} gatewright - [\x21-\x7e]{1,32} \[gatewright@32473((?: [a-z_]{1,32}="(?:[^"\\\]\p{Cc}]|\\["\\\]])*")*)\] ([\x20-\x7e]*)$/u;

describe('a syslog message', () => {
  it('is one line of ASCII behind its structured data, and carries any event', () => {
    const check = fc.property(data, (event) => {
      const json = JSON.stringify(event);
      const message = toSyslogMessage({ logId: '900', at: new Date(0), tenantId: 'dev', data: event, json }, 13);
      const [, parameters = '', unit = ''] = MESSAGE.exec(message) ?? [];
      expect(parameters).toContain(' log_id="900" tenant="dev"');
      expect(JSON.parse(unit)).toEqual(JSON.parse(JSON.stringify({ log_id: '900', data: event })));
    });
    fc.assert(check, { numRuns: 300 });
  });

  it('is framed by its octets, not by its characters', () => {
    expect(toFrame('ß🦊')).toBe('6 ß🦊');
  });
});
