import { lookup } from 'node:dns/promises';
import { BlockList, connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ResolveHost } from './guarded-connect.ts';
import { OutgoingError } from './outgoing-error.ts';

interface Parts {
  /** The ports of this server: nobody gets around its front door. */
  readonly ownPorts: () => readonly (number | undefined)[];
  readonly resolve?: ResolveHost;
}

const CONNECT_MILLISECONDS = 5_000;

/** Nothing that an operator would name: this host without a name, neighbours on the link (metadata of clouds), groups. */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('224.0.0.0', 3, 'ipv4');
NEVER.addAddress('::', 'ipv6');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addSubnet('ff00::', 8, 'ipv6');

/**
 * Connects to one `host:port` that the operator opened, private or not. A name is resolved once, and the socket goes to
 * the address that was checked.
 */
export function createTargetConnector({ ownPorts, resolve = (host) => lookup(host, { all: true }) }: Parts) {
  return async (target: string): Promise<Socket> => {
    const end = target.lastIndexOf(':');
    const host = target.slice(0, end).replace(/^\[|\]$/g, '');
    const port = Number(target.slice(end + 1));
    const addresses = isIP(host) ? [{ address: host }] : await resolve(host).catch(() => []);
    const [first] = addresses;
    if (!first) throw new OutgoingError('network');
    if (!addresses.every(({ address }) => mayConnect(address, port))) throw new OutgoingError('address');
    return open(first.address, port);
  };

  function mayConnect(text: string, port: number): boolean {
    const address = text.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (NEVER.check(address, family)) return false;
    return !(ownPorts().includes(port) && isOwn(address, family));
  }
}

function isOwn(address: string, family: 'ipv4' | 'ipv6'): boolean {
  const own = new BlockList();
  own.addSubnet('127.0.0.0', 8, 'ipv4');
  own.addAddress('::1', 'ipv6');
  for (const one of Object.values(networkInterfaces()).flatMap((all) => all ?? []))
    own.addAddress(one.address, one.family === 'IPv4' ? 'ipv4' : 'ipv6');
  return own.check(address, family);
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((fulfil, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const patience = setTimeout(() => socket.destroy(new OutgoingError('timeout')), CONNECT_MILLISECONDS);
    socket.once('connect', () => {
      clearTimeout(patience);
      socket.removeAllListeners('error');
      fulfil(socket);
    });
    socket.once('error', (cause) => {
      clearTimeout(patience);
      reject(cause instanceof OutgoingError ? cause : new OutgoingError('network'));
    });
  });
}
