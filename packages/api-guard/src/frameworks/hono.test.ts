import { Hono } from 'hono';
import { describeFramework } from '../../test/framework-cases.ts';
import { authenticate, requirePermissions } from './hono.ts';

describeFramework('Hono 4', async (guard) => {
  const app = new Hono();
  app.onError((_error, c) => c.json({}, 500));
  app.get('/unguarded', requirePermissions('read:venues'), (c) => c.json({}));
  app.use('/venues', authenticate(guard));
  app.get('/venues', authenticate(guard), (c) => c.json({ user: c.var.user, permissions: c.var.permissions }));
  app.post('/venues', requirePermissions('write:venues', 'read:venues'), (c) => c.json({}));
  return { ask: async (path, init) => app.request(path, init), stop: async () => {} };
});
