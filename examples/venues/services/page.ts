import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/session.js': ['session.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
} as const;

interface PageSettings {
  readonly environment: string;
  readonly venuesOrigin: string;
}

/** The page to log in from, and what it has to know. Its policy allows its own files and requests to the venue API alone. */
export function servePage(app: FastifyInstance, { environment, venuesOrigin }: PageSettings): void {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src 'self' ${new URL(venuesOrigin).origin}`,
    // The form is sent by the script alone, so that no password ends in an address.
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  for (const [path, [file, type]] of Object.entries(FILES)) {
    const body = readFileSync(new URL(`page/${file}`, import.meta.url));
    app.get(path, async (_request, reply) =>
      reply.headers({ 'content-security-policy': policy }).type(type).send(body),
    );
  }
  app.get('/settings.json', async () => ({ environment, venues_origin: venuesOrigin }));
}
