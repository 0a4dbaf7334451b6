import { createServer as createHttp, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttps, Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import type { TlsSource } from '../tls/serving.ts';
import { type Connections, trackConnections } from './connections.ts';

export interface Listener {
  /** The port in use, also where any free one was asked for. */
  readonly port: number;
  /** Takes no new connection, lets requests under way finish, and closes what is left after the deadline. */
  close(deadlineMilliseconds: number): Promise<void>;
}

interface Parts {
  readonly handler: RequestListener;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly tls?: Pick<TlsSource, 'serverOptions' | 'onChange'>;
  /** Other limits than the usual ones. */
  readonly limits?: Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'>;
}

/** Limits of the transport: no header flood, no connection held open by a trickle of bytes (attack M9). */
const LIMITS = {
  maxHeaderSize: 32_768,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 65_000,
  requireHostHeader: true,
} as const;

/** Listens on each host at one port. A loopback address that this machine lacks (no IPv6) is passed over. */
export async function listen({ handler, hosts, port, tls, limits }: Parts): Promise<Listener> {
  const servers: Server[] = [];
  const connections: Connections[] = [];
  const options = { ...LIMITS, ...limits };
  let actualPort = port;
  try {
    for (const host of hosts) {
      const server = tls ? createHttps({ ...options, ...tls.serverOptions() }, handler) : createHttp(options, handler);
      if (await bind(server, host, actualPort)) {
        servers.push(server);
        connections.push(trackConnections(server));
        actualPort = (server.address() as AddressInfo).port;
      }
    }
    if (servers.length === 0)
      throw new Error(`None of the addresses ${hosts.join(', ')} exists on this machine. Set HOST to one that does.`);
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  // Clients without SNI get the server's own context, which must follow a renewed certificate.
  tls?.onChange(() => {
    for (const server of servers) if (server instanceof HttpsServer) server.setSecureContext(tls.serverOptions());
  });
  return {
    port: actualPort,
    async close(deadlineMilliseconds) {
      const closed = Promise.all(
        servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      );
      for (const known of connections) known.drain();
      const force = setTimeout(() => {
        for (const known of connections) known.destroy();
      }, deadlineMilliseconds);
      await closed;
      clearTimeout(force);
    },
  };
}

/** Fails in the words of `listen` where it would: a start can then be refused before it has made anything. */
export async function checkPort({ hosts, port }: Pick<Parts, 'hosts' | 'port'>): Promise<void> {
  for (const host of hosts) {
    const server = createTcp((socket) => socket.destroy());
    if (await bind(server, host, port)) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** False where this machine lacks the address. */
function bind(server: TcpServer, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT' || error.code === 'ENOTFOUND') resolve(false);
      else if (error.code === 'EADDRINUSE')
        reject(
          new Error(
            `Port ${port} on ${host} is in use. Stop the program that uses it, or choose other ports with PORT and HTTPS_PORT.`,
          ),
        );
      else if (error.code === 'EACCES')
        reject(
          new Error(`Port ${port} may not be opened by this user. Choose a port above 1023 with PORT and HTTPS_PORT.`),
        );
      else reject(error);
    });
    server.listen({ host, port, backlog: 1024 }, () => resolve(true));
  });
}
