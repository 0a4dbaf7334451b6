import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AddressPolicy } from './address-policy.ts';
import { createGuardedConnect, type ResolveHost } from './guarded-connect.ts';
import { OutgoingError } from './outgoing-error.ts';

export interface OutgoingTarget {
  readonly host: string;
  readonly port: number;
  /** TLS, and PEM certificates to trust in place of the machine's authorities. */
  readonly secure?: { readonly ca?: string | undefined } | undefined;
  /** True for development tenants: their services run on the same machine. */
  readonly mayReachLoopback?: boolean;
  readonly signal?: AbortSignal;
}

/** A connection without HTTP to a host that a tenant chose. Throws OutgoingError. Who gets the socket listens to its errors. */
export type ConnectOut = (target: OutgoingTarget) => Promise<Socket>;

interface Parts {
  readonly policies: { readonly strict: AddressPolicy; readonly local: AddressPolicy };
  readonly resolve: ResolveHost;
  /** For name, connection and TLS together. */
  readonly timeout: number;
}

/** The same guard as for HTTP (attack E1), without a request. */
export function createConnectOut({ policies, resolve, timeout }: Parts): ConnectOut {
  const strict = createGuardedConnect({ policy: policies.strict, resolve, timeout });
  const local = createGuardedConnect({ policy: policies.local, resolve, timeout });

  return async (target) => {
    const host = plainHost(target.host);
    if (!Number.isInteger(target.port) || target.port < 1 || target.port > 65_535) throw new OutgoingError('url');
    const time = AbortSignal.timeout(timeout);
    const signal = target.signal ? AbortSignal.any([time, target.signal]) : time;
    const socket = await openTcp(target.mayReachLoopback ? local : strict, host, target.port, signal);
    return target.secure ? openTls(socket, host, target.secure.ca, signal) : socket;
  };
}

/** As a URL has it: without 0x7f.1 and 2130706433. */
function plainHost(text: string): string {
  const bare = text.replace(/^\[|\]$/g, '');
  const isV6 = isIP(bare) === 6;
  if (bare.length > 255 || (!isV6 && !/^[^\s/?#@:\\]+$/.test(bare))) throw new OutgoingError('url');
  const address = `http://${isV6 ? `[${bare}]` : bare}/`;
  if (!URL.canParse(address)) throw new OutgoingError('url');
  return new URL(address).hostname.replace(/^\[|\]$/g, '');
}

type Connector = ReturnType<typeof createGuardedConnect>;

function openTcp(connect: Connector, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new OutgoingError('timeout'));
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    connect({ hostname: host, host, protocol: 'http:', port: String(port) }, (error, socket) => {
      signal.removeEventListener('abort', giveUp);
      if (error !== null) return reject(asOutgoingError(error));
      if (signal.aborted) return void socket.destroy();
      resolve(socket);
    });
  });
}

function openTls(raw: Socket, host: string, ca: string | undefined, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // What happens to it is told by the one around it.
    raw.on('error', () => undefined);
    const socket = connectTls({
      socket: raw,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
    });
    const giveUp = () => socket.destroy(new OutgoingError('timeout'));
    const settle = () => {
      signal.removeEventListener('abort', giveUp);
      socket.removeListener('error', fail);
    };
    const fail = (error: unknown) => {
      settle();
      socket.on('error', () => undefined).destroy();
      reject(asOutgoingError(error));
    };
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      settle();
      resolve(socket);
    });
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

function asOutgoingError(error: unknown): OutgoingError {
  if (error instanceof OutgoingError) return error;
  return new OutgoingError(error instanceof Error && /Timeout/.test(error.name) ? 'timeout' : 'network');
}
