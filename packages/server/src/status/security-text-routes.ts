import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { settingsOf } from '../tenants/tenant-settings.ts';

const YEAR = 365 * 86_400_000;

/** /.well-known/security.txt (RFC 9116): the tenant's contact where it has one, else the mailbox that RFC 2142 section 4 gives every host. */
export function securityTextRoutes(app: FastifyInstance, { now }: { now: () => Date }): void {
  app.get('/.well-known/security.txt', async (request, reply) => {
    const { supportEmail, supportUrl } = settingsOf(request.tenant);
    const contact = supportEmail
      ? `mailto:${supportEmail}`
      : (supportUrl ?? `mailto:security@${mailHost(request.origin)}`);
    const lines = [
      `Contact: ${contact}`,
      `Expires: ${new Date(now().getTime() + YEAR).toISOString()}`,
      'Preferred-Languages: en',
      `Canonical: ${request.origin}/.well-known/security.txt`,
    ];
    return reply.type('text/plain; charset=utf-8').send(`${lines.join('\n')}\n`);
  });
}

/** By address only loopback is reached: everything else has a name. */
function mailHost(origin: string): string {
  const { hostname } = new URL(origin);
  return isIP(hostname.replace(/[[\]]/g, '')) ? 'localhost' : hostname;
}
