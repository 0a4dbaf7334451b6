import { BlockList, isIP } from 'node:net';

export interface AddressPolicy {
  /** Whether the server may connect to this address; what is no address is refused. */
  allows(address: string): boolean;
}

interface Rules {
  /** Development tenants call services on the same machine. */
  readonly loopback: boolean;
  /** Addresses and networks that the operator opened: GATEWRIGHT_OUTGOING_ALLOW. */
  readonly allowed: readonly string[];
}

/** IPv4 that is not the public Internet (RFC 6890 and its updates), and Azure's metadata address, which looks as if it were. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Within 2000::/3, outside which there is no public IPv6: protocol assignments with Teredo, documentation, 6to4. */
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Which addresses tenants' URLs may lead to: an allow list of the public Internet, not a list of what is known to be bad. */
export function createAddressPolicy({ loopback, allowed }: Rules): AddressPolicy {
  const special = toList(SPECIAL_V4, SPECIAL_V6);
  const publicV6 = toList([], ['2000::/3']);
  const opened = toList(
    [...allowed.filter((network) => !network.includes(':')), ...(loopback ? ['127.0.0.0/8'] : [])],
    [...allowed.filter((network) => network.includes(':')), ...(loopback ? ['::1/128'] : [])],
  );
  return {
    allows(address) {
      const plain = unwrapped(address);
      const family = isIP(plain);
      if (family === 0) return false;
      const kind = family === 6 ? 'ipv6' : 'ipv4';
      if (opened.check(plain, kind)) return true;
      return !special.check(plain, kind) && (family === 4 || publicV6.check(plain, 'ipv6'));
    },
  };
}

const MAPPED = '::ffff:';
/** RFC 6052 section 2.1: where a network translates, this is the IPv4 address behind it. */
const NAT64 = '64:ff9b::';

/** The IPv4 address that an IPv6 one carries, in the forms in which a connection would reach it. */
function unwrapped(address: string): string {
  if (isIP(address) !== 6) return address;
  // A zone names an interface: only link-local addresses have one.
  if (address.includes('%')) return '';
  const normal = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  for (const prefix of [MAPPED, NAT64]) {
    const tail = normal.startsWith(prefix)
      ? /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(normal.slice(prefix.length))
      : null;
    if (tail) return dotted(Number.parseInt(tail[1] ?? '', 16), Number.parseInt(tail[2] ?? '', 16));
  }
  return normal;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function toList(v4: readonly string[], v6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [networks, family] of [
    [v4, 'ipv4'],
    [v6, 'ipv6'],
  ] as const) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(bits), family);
    }
  }
  return list;
}
