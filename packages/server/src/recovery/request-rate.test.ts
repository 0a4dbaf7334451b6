import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, type TestStores } from '../../test/test-stores.ts';
import { createRequestRate, type RequestRate } from './request-rate.ts';

let world: TestStores;
let time = new Date('2026-03-01T12:00:00Z').getTime();
beforeAll(async () => {
  world = await createTestStores();
});
afterAll(() => world.drop());

const newRate = () => createRequestRate({ buckets: world.stores.rateBuckets, now: () => new Date(time) });
const addresses = (function* () {
  for (let serial = 0; ; serial++) yield `192.0.2.${serial}`;
})();
const newPlace = () => String(addresses.next().value);
const granted = async (rate: RequestRate, ip: string, count: number) =>
  (await Promise.all(Array.from({ length: count }, () => rate.take('dev', ip, 'ada@example.org')))).filter(Boolean)
    .length;

describe('requests for links to one mailbox', () => {
  it.each([
    ['in capitals', 'ADA@Example.org'],
    ['in full width', 'ａｄａ@example.org'],
    ['in half of it', 'aｄa@example.ｏrg'],
    ['with spaces around', ' ada@example.org\u3000'],
    ['in mathematical letters', '𝐚da@example.org'],
  ])('are counted together, however the address is written: %s', async (_how, written) => {
    const [rate, ip] = [newRate(), newPlace()];
    expect(await granted(rate, ip, 10)).toBe(10);
    expect(await rate.take('dev', ip, written)).toBe(false);
    expect(await rate.take('dev', ip, 'bea@example.org')).toBe(true);
    expect(await rate.take('acme', ip, written)).toBe(true);
  });

  it('are counted together for all addresses of one IPv6 network, and apart for another one', async () => {
    const rate = newRate();
    for (let count = 0; count < 10; count++)
      expect(await rate.take('dev', `2001:db8:0:1::${count + 1}`, 'ada@example.org')).toBe(true);
    expect(await rate.take('dev', '2001:db8:0:1:ffff::1', 'ada@example.org')).toBe(false);
    expect(await rate.take('dev', '2001:db8:0:2::1', 'ada@example.org')).toBe(true);
  });

  it('are ten of two processes together, at once, and then one a minute', async () => {
    const [here, there, ip] = [newRate(), newRate(), newPlace()];
    const counts = await Promise.all([granted(here, ip, 15), granted(there, ip, 15)]);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(10);
    time += 59_000;
    expect(await granted(there, ip, 3)).toBe(0);
    time += 1_000;
    expect((await granted(here, ip, 3)) + (await granted(there, ip, 3))).toBe(1);
  });

  it('are ten again after ten minutes, and never more', async () => {
    const [rate, ip] = [newRate(), newPlace()];
    await granted(rate, ip, 10);
    time += 3_600_000;
    expect(await granted(rate, ip, 15)).toBe(10);
  });

  it('wait for no time that a wrong clock told', async () => {
    const [rate, ip] = [newRate(), newPlace()];
    time += 86_400_000;
    await granted(rate, ip, 11);
    time -= 86_400_000;
    expect(await granted(rate, ip, 1)).toBe(0);
    time += 60_000;
    expect(await granted(rate, ip, 3)).toBe(1);
  });
});
