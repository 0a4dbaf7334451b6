import type { FastifyInstance } from 'fastify';
import { settingsOf } from '../tenants/tenant-settings.ts';

const YEAR = 365 * 86_400_000;

/** /.well-known/security.txt (RFC 9116): the operator's contact where the tenant has one, else the project's. */
export function securityTextRoutes(app: FastifyInstance, { now }: { now: () => Date }): void {
  app.get('/.well-known/security.txt', async (request, reply) => {
    const { supportEmail, supportUrl } = settingsOf(request.tenant);
    const contact = supportEmail
      ? `mailto:${supportEmail}`
      : (supportUrl ?? 'https://github.com/gatewright/gatewright/security/advisories/new');
    const lines = [
      `Contact: ${contact}`,
      `Expires: ${new Date(now().getTime() + YEAR).toISOString()}`,
      'Preferred-Languages: en',
      `Canonical: ${request.origin}/.well-known/security.txt`,
    ];
    return reply.type('text/plain; charset=utf-8').send(`${lines.join('\n')}\n`);
  });
}
