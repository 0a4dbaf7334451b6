import type { FastifyInstance } from 'fastify';
import { staticAssets } from './pages/static-assets.ts';

/** /u/static: the pages' style sheet, script and icon. Their names carry a hash, so browsers keep them for good. */
export function staticRoutes(app: FastifyInstance): void {
  for (const { path, contentType, body, headers } of staticAssets()) {
    app.get(path, async (_request, reply) =>
      reply
        .headers({ ...headers })
        .type(contentType)
        .send(body),
    );
  }
}
