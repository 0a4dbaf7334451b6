import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { parseOrigin } from '../kit/parse-origin.ts';
import type { Requester } from '../logs/event.ts';
import { type ClientCertificate, readClientCertificate } from './client-certificate.ts';

/** Reads who asks, and for which origin. `X-Forwarded-*` counts only where the peer is a trusted proxy. */
export interface RequestReader {
  /** `scheme://host[:port]` that the client asked for, or undefined where it is no origin at all. */
  origin(request: IncomingMessage): string | undefined;
  requester(request: IncomingMessage): Requester;
  /** What a trusted proxy says of the client's certificate. The same headers of anybody else are taken away. */
  clientCertificate(request: IncomingMessage): ClientCertificate | undefined;
}

const MAX_USER_AGENT = 512;
const MAX_AUTH0_CLIENT = 2_048;

/** Whether the proxy verified the certificate: beside every header that carries one. */
const VERDICT_HEADER = 'client-certificate-ca-verified';

export function createRequestReader(
  trustedProxies: readonly string[],
  certificateHeader?: string | undefined,
): RequestReader {
  const trusted = toBlockList(trustedProxies);

  function isTrusted(address: string): boolean {
    if (trustedProxies.length === 0) return false;
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }

  function origin(request: IncomingMessage): string | undefined {
    const behindProxy = isTrusted(peer(request));
    const encrypted = 'encrypted' in request.socket;
    const scheme = (behindProxy && lastOf(request.headers['x-forwarded-proto'])) || (encrypted ? 'https' : 'http');
    const host = (behindProxy && lastOf(request.headers['x-forwarded-host'])) || request.headers.host;
    return toOrigin(scheme, host);
  }

  function requester(request: IncomingMessage): Requester {
    const clientIp = peer(request);
    const auth0Client = decodeAuth0Client(request.headers['auth0-client']);
    return {
      ip: endUserAddress(request, clientIp),
      clientIp,
      userAgent: (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT),
      hostname: (request.headers.host ?? '').slice(0, 255),
      ...(auth0Client && { auth0Client }),
    };
  }

  /** The right-most address that no trusted proxy wrote about itself: everything left of it may be forged. */
  function endUserAddress(request: IncomingMessage, clientIp: string): string {
    if (!isTrusted(clientIp)) return clientIp;
    const chain = listOf(request.headers['x-forwarded-for']);
    for (const address of chain.reverse()) {
      if (isIP(address) === 0) return clientIp;
      if (!isTrusted(address)) return address;
    }
    return clientIp;
  }

  function clientCertificate(request: IncomingMessage): ClientCertificate | undefined {
    if (certificateHeader === undefined) return undefined;
    const { headers } = request;
    const { [certificateHeader]: text, [VERDICT_HEADER]: verdict } = headers;
    if (text === undefined && verdict === undefined) return undefined;
    if (!isTrusted(peer(request))) {
      delete headers[certificateHeader];
      delete headers[VERDICT_HEADER];
      return undefined;
    }
    // Two of a name arrive as one with a comma: whose the second is, nobody knows.
    return typeof text === 'string' ? readClientCertificate(text, verdict?.toString()) : undefined;
  }

  return { origin, requester, clientCertificate };
}

/** A host header is hostile until it is a plain name or address with an optional port. */
function toOrigin(scheme: string, host: string | undefined): string | undefined {
  if (!host || (scheme !== 'http' && scheme !== 'https')) return undefined;
  if (!/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9a-fA-F:]{2,39}\])(?::[0-9]{1,5})?$/.test(host))
    return undefined;
  return parseOrigin(`${scheme}://${host}`)?.origin;
}

function peer(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function decodeAuth0Client(header: string | string[] | undefined): Readonly<Record<string, unknown>> | undefined {
  if (typeof header !== 'string' || header.length > MAX_AUTH0_CLIENT) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function listOf(header: string | string[] | undefined): string[] {
  return (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

function lastOf(header: string | string[] | undefined): string | undefined {
  return listOf(header).at(-1)?.toLowerCase();
}

function toBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
