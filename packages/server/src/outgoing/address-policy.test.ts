import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';

const strict = createAddressPolicy({ loopback: false, allowed: [] });

describe('an address that a tenant chose', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.63.255.255', '223.255.255.255', '2606:4700::1111'])(
    'may be %s, which is public',
    (address) => expect(strict.allows(address)).toBe(true),
  );

  it.each([
    ['loopback', '127.0.0.1'],
    ['any loopback', '127.255.255.254'],
    ['this host', '0.0.0.0'],
    ['a private network', '10.0.0.1'],
    ['a private network', '172.16.0.1'],
    ['a private network', '172.31.255.255'],
    ['a private network', '192.168.1.1'],
    ["a carrier's network", '100.64.0.1'],
    ['the metadata of a cloud', '169.254.169.254'],
    ["Azure's metadata", '168.63.129.16'],
    ["Alibaba's metadata", '100.100.100.200'],
    ["Oracle's metadata", '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['benchmarks', '198.19.0.1'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 loopback', '::1'],
    ['IPv6 any', '::'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped metadata in hexadecimal', '::ffff:a9fe:a9fe'],
    ['a long mapped one', '0:0:0:0:0:ffff:0a00:0001'],
    ['a compatible one', '::127.0.0.1'],
    ['NAT64 of loopback', '64:ff9b::7f00:1'],
    ['NAT64 of metadata', '64:ff9b::169.254.169.254'],
    ['local NAT64', '64:ff9b:1::1'],
    ['6to4 of a private one', '2002:0a00:0001::1'],
    ['Teredo', '2001:0:1::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fd00:ec2::254'],
    ['multicast', 'ff02::1'],
    ['documentation', '2001:db8::1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('may not be %s: %s', (_what, address) => expect(strict.allows(address)).toBe(false));

  it('may be public behind NAT64', () => expect(strict.allows('64:ff9b::8.8.8.8')).toBe(true));

  it('may be loopback, and no other private one, for a development tenant', () => {
    const local = createAddressPolicy({ loopback: true, allowed: [] });
    expect(['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1'].every(local.allows)).toBe(true);
    expect(['10.0.0.1', '0.0.0.0', '::', '169.254.169.254'].some(local.allows)).toBe(false);
  });

  it('may be what the operator opened, and not its neighbour', () => {
    const opened = createAddressPolicy({ loopback: false, allowed: ['10.20.0.0/16', '192.168.1.5', 'fd12::/32'] });
    expect(['10.20.3.4', '192.168.1.5', 'fd12:0:1::1', '::ffff:10.20.0.1'].every(opened.allows)).toBe(true);
    expect(['10.21.0.1', '192.168.1.6', 'fd13::1', '127.0.0.1'].some(opened.allows)).toBe(false);
  });
});
