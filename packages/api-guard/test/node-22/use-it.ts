// Checked by the compiler against the declarations of the tarball, as a user's program is.
import { bySignature, byTokenService, createGuard, createMemoryCache, type Guard } from '@gatewright/api-guard';
import { authenticate, requirePermissions } from '@gatewright/api-guard/express';
import { authenticate as forFastify } from '@gatewright/api-guard/fastify';
import { authenticate as forHono } from '@gatewright/api-guard/hono';
import { createMemcachedCache } from '@gatewright/api-guard/memcached';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';

const api = { issuer: 'https://acme-dev.example/', audience: 'https://venues' };
const guard: Guard = createGuard({
  ...api,
  secret: 's'.repeat(32),
  cache: process.env.MEMCACHED ? createMemcachedCache({ servers: [process.env.MEMCACHED] }) : createMemoryCache(),
  verify: bySignature({ ...api, alsoAsk: byTokenService({ url: 'http://127.0.0.1:3100', callerSecret: 'x' }) }),
});
const app = express();
app.use(authenticate(guard));
app.get('/', requirePermissions('read:venues'), ({ user, permissions }, response) => {
  response.json({ sub: user?.sub, may: permissions?.length });
});
const fastify = Fastify();
fastify.register(forFastify(guard));
fastify.get('/', async ({ user }) => user?.sub);
new Hono().use(forHono(guard)).get('/', (c) => c.text(c.var.user.sub));
