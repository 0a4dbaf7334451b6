import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps, Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsSource } from '../tls/serving.ts';

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
}

/** Limits of the transport: no header flood, no connection held open by a trickle of bytes (attack M9). */
const LIMITS = {
  maxHeaderSize: 32_768,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  requireHostHeader: true,
} as const;

/** Listens on each host at one port. A loopback address that this machine lacks (no IPv6) is passed over. */
export async function listen({ handler, hosts, port, tls }: Parts): Promise<Listener> {
  const servers: Server[] = [];
  let actualPort = port;
  try {
    for (const host of hosts) {
      const server = tls ? createHttps({ ...LIMITS, ...tls.serverOptions() }, handler) : createHttp(LIMITS, handler);
      if (await bind(server, host, actualPort, hosts.length > 1)) {
        servers.push(server);
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
    close: async (deadline) => void (await Promise.all(servers.map((server) => close(server, deadline)))),
  };
}

function bind(server: Server, host: string, port: number, optional: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (optional && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')) resolve(false);
      else if (error.code === 'EADDRINUSE')
        reject(
          new Error(
            `Port ${port} on ${host} is in use. Stop the program that uses it, or choose other ports with PORT and HTTPS_PORT.`,
            { cause: error },
          ),
        );
      else if (error.code === 'EACCES')
        reject(
          new Error(`Port ${port} may not be opened by this user. Choose a port above 1023 with PORT and HTTPS_PORT.`, {
            cause: error,
          }),
        );
      else reject(error);
    });
    server.listen({ host, port, backlog: 1024 }, () => resolve(true));
  });
}

function close(server: Server, deadlineMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), deadlineMilliseconds);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
