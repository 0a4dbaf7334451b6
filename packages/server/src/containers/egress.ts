import { networkInterfaces } from 'node:os';

/** Where a tenant's code may connect to. The operator decides (`gatewright egress`), never a tenant's own token. */
export interface Egress {
  /** `deny-private`: the public Internet. `allowlist`: `hosts` alone. */
  readonly mode: 'deny-private' | 'allowlist';
  /** `host:port` on the public Internet; counts in the mode `allowlist`. */
  readonly hosts: readonly string[];
  /** `host:port` on the operator's own network: the server connects, and passes the bytes on. */
  readonly intranet: readonly string[];
}

export const DENY_PRIVATE: Egress = { mode: 'deny-private', hosts: [], intranet: [] };

/** Denied whatever is allowed. Deno takes no IPv6 networks here, only addresses. */
const DENIED = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '[::]',
  '[::1]',
  '[fd00:ec2::254]',
  'localhost',
];

/** Deno's flags for the network. Its denials beat what it allows, and are looked up again after the name was resolved. */
export function networkFlags(egress: Egress): string[] {
  const denied = `--deny-net=${[...DENIED, ...ownAddresses()].join(',')}`;
  if (egress.mode === 'deny-private') return ['--allow-net', denied];
  return egress.hosts.length === 0 ? [] : [`--allow-net=${egress.hosts.join(',')}`, denied];
}

/** This machine's own addresses may be public ones. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address, family }) => (family === 'IPv6' ? `[${address.split('%')[0]}]` : address));
}

const HOST_AND_PORT = /^(?=.{3,255}$)(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]{2,45}\]):([1-9][0-9]{0,4})$/;

/** `db.example.com:5432`, `10.0.0.5:5432`, `[fd12::5]:5432`, in lower case. */
export function isHostAndPort(text: string): boolean {
  const port = HOST_AND_PORT.exec(text)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}

/** Two containers may stand for each other where this is the same. */
export function egressKey({ mode, hosts, intranet }: Egress): string {
  return JSON.stringify([mode, hosts, intranet]);
}
