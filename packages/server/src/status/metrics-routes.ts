import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requestErrors } from '../http/render-error.ts';
import { equalSecrets } from '../kit/digest.ts';
import { METRICS_TYPE, type Metrics, type MetricsSnapshot, renderMetrics } from './metrics.ts';

interface Parts {
  readonly metrics: Metrics;
  /** GATEWRIGHT_METRICS_TOKEN. */
  readonly token: string | undefined;
  /** Of the other processes behind this port. */
  readonly snapshotsOfOthers: () => Promise<readonly MetricsSnapshot[]>;
}

/** GET /metrics in Prometheus' text format: for this machine, and for who knows the token. To all others there is no such page. */
export function metricsRoutes(app: FastifyInstance, { metrics, token, snapshotsOfOthers }: Parts): void {
  app.get('/metrics', { config: { needsNoTenant: true } }, async (request, reply) => {
    if (!(isOfThisMachine(request) || hasToken(request, token))) throw requestErrors.notFound();
    const [own, others] = await Promise.all([metrics.snapshot(), snapshotsOfOthers()]);
    reply.header('cache-control', 'no-store').type(METRICS_TYPE);
    return reply.send(await renderMetrics([own, ...others]));
  });
}

const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
/** What a proxy adds: with one of these a request came from elsewhere, whatever its peer is. */
const FORWARDING = ['forwarded', 'via', 'x-real-ip'];

/** A proxy on this machine brings strangers over loopback too: they name another host, or the proxy names them. */
function isOfThisMachine({ raw, headers }: FastifyRequest): boolean {
  // `proxy_pass http://localhost:3000` and not a line more: nginx then names our host, adds no header, and speaks HTTP/1.0.
  if (raw.httpVersion === '1.0') return false;
  if (!isLoopback(raw.socket.remoteAddress ?? '') || !LOCAL_HOST.test(headers.host ?? '')) return false;
  return !Object.keys(headers).some((name) => name.startsWith('x-forwarded-') || FORWARDING.includes(name));
}

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

function hasToken({ headers }: FastifyRequest, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return token !== undefined && given !== undefined && equalSecrets(given, token);
}
