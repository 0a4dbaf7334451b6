import Fastify from 'fastify';
import { describeFramework } from '../../test/framework-cases.ts';
import { authenticate, requirePermissions } from './fastify.ts';

describeFramework('Fastify 5', async (guard) => {
  const app = Fastify();
  app.get('/unguarded', { onRequest: requirePermissions('read:venues') }, async () => ({}));
  app.register(async (api) => {
    await api.register(authenticate(guard));
    api.get('/venues', async ({ user, permissions }) => ({ user, permissions }));
    api.post('/venues', { onRequest: requirePermissions('write:venues', 'read:venues') }, async () => ({}));
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  return { origin, ask: (path, init) => fetch(origin + path, init), stop: () => app.close() };
});
