import { expect, it } from 'vitest';
import { networkOf } from './network-of.ts';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:1::9', '2001:db8:0:1::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  // Else all of IPv4 behind such a proxy would be one network.
  ['::ffff:192.0.2.1', '192.0.2.1'],
])('%s belongs to %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
