import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { expect, it } from 'vitest';
import { describeFramework } from '../../test/framework-cases.ts';
import { guarded } from '../../test/guarded.ts';
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
    origin: `http://127.0.0.1:${port}`,
    ask: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
});

it('a refusal that comes after somebody else has answered harms nobody', async () => {
  const { guard } = guarded({}, { active: false, reason: 'revoked' });
  const errors: unknown[] = [];
  const app = express();
  app.use((_request, response, next) => {
    response.status(503).json({});
    next();
  });
  app.use(authenticate(guard));
  const failed: ErrorRequestHandler = (error, _request, _response, next) => next(errors.push(error));
  app.use(failed);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: 'Bearer at' } });
  expect(response.status).toBe(503);
  await expect.poll(() => guard.stats().refused, { timeout: 60_000 }).toBe(1);
  // An error without a listener would end the process here.
  await new Promise(setImmediate);
  expect(errors).toEqual([]);
  server.closeAllConnections();
  server.close();
});
