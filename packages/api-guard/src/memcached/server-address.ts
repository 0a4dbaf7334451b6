import type { NetConnectOpts } from 'node:net';

export interface ServerAddress {
  /** As the configuration says it; keys are spread by it, so all services must say the same. */
  readonly name: string;
  readonly target: NetConnectOpts;
}

const DEFAULT_PORT = 11_211;

/** `host`, `host:port`, `[::1]:port`, or the path of a unix socket. */
export function readServerAddress(name: string): ServerAddress {
  if (name.startsWith('/')) return { name, target: { path: name } };
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]+))(?::(\d{1,5}))?$/.exec(name) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65_535)
    throw new TypeError(
      `servers: ${JSON.stringify(name)} is no address; "host", "host:port", "[::1]:port" or "/path/of/a.sock" are.`,
    );
  return { name, target: { host, port } };
}
