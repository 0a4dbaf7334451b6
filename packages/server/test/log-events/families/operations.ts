import { expect } from 'vitest';
import { eventually, startStreamWorld } from '../../log-streams/stream-world.ts';
import { family, fromPhone } from '../family.ts';
import { details, operator } from '../record.ts';

const BURST = 120;
const MINUTE = 60_000;

async function start() {
  const streams = await startStreamWorld({ managementRateLimit: { burst: BURST, perSecond: 10 } });
  const world = { ...fromPhone(streams.world), stop: () => streams.stop() };
  return { world, streams, manage: world.api() };
}

/** Whoever calls is an application: what it asked for, with which token, and what it got. */
const call = (request: Readonly<Record<string, unknown>>) => ({
  request: expect.objectContaining({
    ...request,
    channel: 'api',
    ip: expect.any(String),
    userAgent: expect.any(String),
    auth: {
      user: {},
      strategy: 'jwt',
      credentials: { jti: expect.any(String), scopes: expect.arrayContaining(['create:clients']) },
    },
  }),
});

const stream = (name: string) => ({ id: expect.stringMatching(/^lst_/), name, type: 'http' });

export const operations = family('operations', start, {
  sapi: {
    cause: ({ manage }) => manage.post('/clients', { name: 'Parts', app_type: 'non_interactive' }),
    has: ({ world }) => ({
      ...operator(world),
      description: 'Create a client',
      ...details({
        ...call({ method: 'post', path: '/api/v2/clients', body: { name: 'Parts', app_type: 'non_interactive' } }),
        response: { statusCode: 201, body: expect.objectContaining({ name: 'Parts', client_secret: '*****' }) },
      }),
    }),
  },
  mgmt_api_read: {
    cause: ({ world, manage }) => manage.get(`/clients/${world.password_client.client_id}`),
    has: ({ world }) => ({
      ...operator(world),
      description: 'Get a client',
      ...details({
        ...call({ method: 'get', path: `/api/v2/clients/${world.password_client.client_id}` }),
        response: { statusCode: 200 },
        accessedSecrets: expect.arrayContaining(['client_secret']),
      }),
    }),
  },
  custom_domain_verification_failed: {
    async cause({ manage }) {
      const made = await manage.post('/custom-domains', { domain: 'login.example.org', type: 'auth0_managed_certs' });
      return manage.post(`/custom-domains/${made.json().custom_domain_id}/verify`);
    },
    has: ({ world }) => ({
      ...operator(world),
      description: expect.stringContaining('login.example.org'),
      details: { domain: 'login.example.org' },
    }),
  },
  fn: {
    isOfServer: true,
    async cause({ streams }) {
      streams.receiver.behave({ status: 410 });
      const { id } = await streams.createStream({ name: 'Gone' });
      await streams.happen(1);
      await eventually(async () => expect((await streams.health(id)).status).toBe('suspended'));
    },
    has: () => ({
      description: expect.stringContaining('Log stream Gone is suspended.'),
      ...details({ log_stream: stream('Gone'), state: 'suspended', status: 410, problem: expect.any(String) }),
    }),
  },
  wn: {
    isOfServer: true,
    async cause({ streams, world }) {
      streams.receiver.behave({ status: 500 });
      const { id } = await streams.createStream({ name: 'Out of order' });
      await streams.happen(1);
      for (let failure = 1; failure <= 5; failure++) {
        await eventually(async () => expect((await streams.health(id)).failures).toBeGreaterThanOrEqual(failure));
        world.advance(MINUTE);
        world.app.streams.wake();
      }
    },
    has: () => ({
      description: expect.stringContaining('Log stream Out of order is failing.'),
      ...details({ log_stream: stream('Out of order'), state: 'degraded', status: 500, failures: 5 }),
    }),
  },
  api_limit: {
    async cause({ world, manage }) {
      await Promise.all(Array.from({ length: BURST + 1 }, () => manage.get('/roles')));
      // The bucket is full again when the record is read.
      world.advance(MINUTE);
    },
    has: ({ world }) => ({
      ...operator(world),
      description: 'Global limit has been reached',
      ...details({ policy: 'management-api-global', request: { method: 'get', path: '/api/v2/roles' } }),
    }),
  },
});
