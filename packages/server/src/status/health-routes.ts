import type { FastifyInstance } from 'fastify';
import type pg from 'pg';

const DEADLINE_MILLISECONDS = 2_000;

/** /health/live: the process answers. /health/ready: it can also reach its database (OPS.35). Neither needs a tenant. */
export function healthRoutes(app: FastifyInstance, { pool }: { pool: pg.Pool }): void {
  app.get('/health/live', async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );

  app.get('/health/ready', async (_request, reply) => {
    const isReady = await answersInTime(pool);
    reply.header('cache-control', 'no-store');
    if (isReady) return reply.send({ status: 'ready' });
    return reply
      .code(503)
      .header('retry-after', '2')
      .send({ status: 'unavailable', reason: 'The database does not answer.' });
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
