import type { FastifyInstance } from 'fastify';
import { requestErrors } from '../http/render-error.ts';
import { mayReadMetrics } from './may-read-metrics.ts';
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
    if (!mayReadMetrics(request, token)) throw requestErrors.notFound();
    const [own, others] = await Promise.all([metrics.snapshot(), snapshotsOfOthers()]);
    reply.header('cache-control', 'no-store').type(METRICS_TYPE);
    return reply.send(await renderMetrics([own, ...others]));
  });
}
