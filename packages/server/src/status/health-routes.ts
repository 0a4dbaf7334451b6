import type { FastifyInstance } from 'fastify';
import type pg from 'pg';

const DEADLINE_MILLISECONDS = 2_000;

interface Parts {
  readonly pool: pg.Pool;
  /** False while the start goes on behind the open ports: first-run.json still has the last start's origins. */
  readonly isStarted: () => boolean;
}

const FOR_EVERYBODY = { config: { needsNoTenant: true } } as const;

/**
 * /health/live: the process answers. /health/ready: it can also reach its database (OPS.35). /test and /testall are the
 * same in the words of Auth0's monitoring. None needs a tenant.
 */
export function healthRoutes(app: FastifyInstance, { pool, isStarted }: Parts): void {
  app.get('/health/live', FOR_EVERYBODY, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );

  app.get('/health/ready', FOR_EVERYBODY, async (_request, reply) => {
    const reason = await fault();
    reply.header('cache-control', 'no-store');
    if (!reason) return reply.send({ status: 'ready' });
    return reply.code(503).header('retry-after', '2').send({ status: 'unavailable', reason });
  });

  app.get('/test', FOR_EVERYBODY, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ clock: Date.now() }),
  );

  app.get('/testall', FOR_EVERYBODY, async (_request, reply) => {
    const reason = await fault();
    reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8');
    return reason ? reply.code(503).header('retry-after', '2').send(reason) : reply.send('OK');
  });

  async function fault(): Promise<string | undefined> {
    if (!isStarted()) return 'The server is starting.';
    return (await answersInTime(pool)) ? undefined : 'The database does not answer.';
  }
}

async function answersInTime(pool: pg.Pool): Promise<boolean> {
  const deadline = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), DEADLINE_MILLISECONDS).unref());
  return Promise.race([
    pool.query('select 1').then(
      () => true,
      () => false,
    ),
    deadline,
  ]);
}
