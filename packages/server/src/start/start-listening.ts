import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { App } from '../app/app.ts';
import type { Config } from '../config.ts';
import { checkPort, type Listener, listen } from '../http/listen.ts';
import type { Log } from '../kit/log.ts';
import type { TlsSource } from '../tls/serving.ts';
import { createTlsSource } from '../tls/tls-source.ts';
import { warnOfExpiry } from '../tls/warn-of-expiry.ts';
import type { Served } from '../workers/worker-messages.ts';

interface Listeners {
  readonly http: number;
  readonly https: number | undefined;
  close(deadlineMilliseconds: number): Promise<void>;
}

/** Certificates and listeners of this process; stopped by `undo`, requests under way first. */
export async function serve(
  config: Config,
  { http, metrics }: Pick<App, 'http' | 'metrics'>,
  log: Log,
  undo: (() => Promise<void> | void)[],
  drainMilliseconds: number,
): Promise<Served> {
  const tls =
    config.httpsPort === 0
      ? undefined
      : await createTlsSource({
          certFile: config.tlsCertFile,
          keyFile: config.tlsKeyFile,
          folder: join(config.dataDir, 'tls'),
          hosts: domainsToServe(config.baseDomain),
          log,
        });
  undo.push(() => tls?.close());
  if (tls) {
    metrics.watchCertificates(tls.certificates);
    undo.push(warnOfExpiry(tls.certificates, log));
  }
  const listeners = await startListening(config, http, tls);
  undo.push(() => listeners.close(drainMilliseconds));
  return { http: listeners.http, https: listeners.https, caFile: tls?.caFile ?? null };
}

/** http and, unless it is off, https; one handler serves both. */
async function startListening(
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
function domainsToServe(baseDomain: string): string[] {
  return [...new Set(['localhost', '*.localhost', baseDomain, `*.${baseDomain}`])];
}
