import type { FastifyInstance } from 'fastify';

/** Every route that the server has, `PATCH /api/v2/clients/{}`: asked of the router, so that none can be forgotten. */
export function routesOf(http: FastifyInstance): string[] {
  const parents: string[] = [];
  return http
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', segment = '', methods] =
        /^((?:│ {3}| {4})*)[├└]── (\S+)(?: \(([^)]+)\))?$/.exec(line) ?? [];
      if (segment === '') return [];
      const depth = indent.length / 4;
      const path = `${depth === 0 ? '' : parents[depth - 1]}${segment}`;
      parents[depth] = path;
      return (methods?.split(', ') ?? []).map((method) => `${method} ${withoutNames(path)}`);
    });
}

/** `/users/:id/roles` and `/users/{id}/roles` → `/users/{}/roles` */
export function withoutNames(path: string): string {
  return path.replace(/:[^/]+|\{\w+\}/g, '{}');
}
