import type { FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import { checkPort, type Listener, listen } from './http/listen.ts';
import type { TlsSource } from './tls/serving.ts';

export interface Listeners {
  readonly http: number;
  readonly https: number | undefined;
  close(deadlineMilliseconds: number): Promise<void>;
}

/** http and, unless it is off, https; one handler serves both. */
export async function startListening(
  config: Pick<Config, 'hosts' | 'httpPort' | 'httpsPort'>,
  app: FastifyInstance,
  tls: TlsSource | undefined,
): Promise<Listeners> {
  const common = { handler: app.routing, hosts: config.hosts };
  const open: Listener[] = [];
  const close = async (deadline: number) => void (await Promise.all(open.map((listener) => listener.close(deadline))));
  try {
    const http = await listen({ ...common, port: config.httpPort });
    open.push(http);
    const https = tls && (await listen({ ...common, port: config.httpsPort, tls }));
    if (https) open.push(https);
    return { http: http.port, https: https?.port, close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** Before anything is made; what takes a port from now on is found when it is bound. */
export async function checkPorts({ hosts, httpPort, httpsPort }: Pick<Config, 'hosts' | 'httpPort' | 'httpsPort'>) {
  for (const port of [httpPort, httpsPort]) if (port !== 0) await checkPort({ hosts, port });
}

/** Names that the local certificate authority may vouch for. */
export function domainsToServe(baseDomain: string): string[] {
  return [...new Set(['localhost', '*.localhost', baseDomain, `*.${baseDomain}`])];
}
