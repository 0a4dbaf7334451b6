import type { FastifyInstance } from 'fastify';
import type pg from 'pg';

const DEADLINE_MILLISECONDS = 2_000;

interface Parts {
  readonly pool: pg.Pool;
  /** False while the start goes on behind the open ports: first-run.json still has the last start's origins. */
  readonly isStarted: () => boolean;
}

/** /health/live: the process answers. /health/ready: it can also reach its database (OPS.35). Neither needs a tenant. */
export function healthRoutes(app: FastifyInstance, { pool, isStarted }: Parts): void {
  app.get('/health/live', async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );

  app.get('/health/ready', async (_request, reply) => {
    const reason = !isStarted()
      ? 'The server is starting.'
      : !(await answersInTime(pool))
        ? 'The database does not answer.'
        : undefined;
    reply.header('cache-control', 'no-store');
    if (!reason) return reply.send({ status: 'ready' });
    return reply.code(503).header('retry-after', '2').send({ status: 'unavailable', reason });
  });
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
