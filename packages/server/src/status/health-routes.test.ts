import Fastify from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { healthRoutes } from './health-routes.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('is live at once, and ready when all is done that a client may rely on', async () => {
  const app = Fastify();
  let isStarted = false;
  healthRoutes(app, { pool: database.pool, isStarted: () => isStarted });
  expect((await app.inject('/health/live')).statusCode).toBe(200);
  const early = await app.inject('/health/ready');
  expect(early.statusCode).toBe(503);
  expect(early.headers['retry-after']).toBe('2');
  expect(early.json()).toEqual({ status: 'unavailable', reason: 'The server is starting.' });
  isStarted = true;
  expect((await app.inject('/health/ready')).json()).toEqual({ status: 'ready' });
});
