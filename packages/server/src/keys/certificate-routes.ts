import type { FastifyInstance } from 'fastify';
import type { KeyRings } from './key-ring.ts';

/** The signing certificate as files, for clients that are configured by hand (authentication-api section 1). */
export function certificateRoutes(app: FastifyInstance, { certificate }: Pick<KeyRings, 'certificate'>): void {
  app.get('/pem', async (request, reply) =>
    reply.type('application/x-pem-file').send((await certificate(request.tenant.tenantId)).pem),
  );
  app.get('/rawpem', async (request, reply) =>
    reply.type('text/plain; charset=utf-8').send((await certificate(request.tenant.tenantId)).pem),
  );
  app.get('/cer', async (request, reply) =>
    reply.type('application/pkix-cert').send((await certificate(request.tenant.tenantId)).der),
  );
  app.get('/pb7', async (request, reply) =>
    reply.type('application/x-pkcs7-certificates').send((await certificate(request.tenant.tenantId)).pkcs7),
  );
}
