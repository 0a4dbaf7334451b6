import { describe, expect, it } from 'vitest';
import { createRequestRate } from './request-rate.ts';

const now = () => new Date(0);

describe('requests for links to one mailbox', () => {
  it.each([
    ['in capitals', 'ADA@Example.org'],
    ['in full width', 'ａｄａ@example.org'],
    ['in half of it', 'aｄa@example.ｏrg'],
    ['with spaces around', ' ada@example.org\u3000'],
    ['in mathematical letters', '𝐚da@example.org'],
  ])('are counted together, however the address is written: %s', (_how, written) => {
    const rate = createRequestRate(now);
    for (let count = 0; count < 10; count++) expect(rate.take('dev', '192.0.2.1', 'ada@example.org')).toBe(true);
    expect(rate.take('dev', '192.0.2.1', written)).toBe(false);
    expect(rate.take('dev', '192.0.2.1', 'bea@example.org')).toBe(true);
    expect(rate.take('other', '192.0.2.1', written)).toBe(true);
  });

  it('are counted together for all addresses of one IPv6 network, and apart for another one', () => {
    const rate = createRequestRate(now);
    for (let count = 0; count < 10; count++)
      expect(rate.take('dev', `2001:db8:0:1::${count + 1}`, 'ada@example.org')).toBe(true);
    expect(rate.take('dev', '2001:db8:0:1:ffff::1', 'ada@example.org')).toBe(false);
    expect(rate.take('dev', '2001:db8:0:2::1', 'ada@example.org')).toBe(true);
  });
});
