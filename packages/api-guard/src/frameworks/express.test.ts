import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { describeFramework } from '../../test/framework-cases.ts';
import { authenticate, requirePermissions } from './express.ts';

describeFramework('Express 5', async (guard) => {
  const app = express();
  app.get('/unguarded', requirePermissions('read:venues'), (_request, response) => void response.json({}));
  app.use(authenticate(guard));
  app.get('/venues', ({ user, permissions }, response) => void response.json({ user, permissions }));
  app.post(
    '/venues',
    requirePermissions('write:venues', 'read:venues'),
    (_request, response) => void response.json({}),
  );
  const failed: ErrorRequestHandler = (_error, _request, response, _next) => void response.status(500).json({});
  app.use(failed);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ask: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
});
