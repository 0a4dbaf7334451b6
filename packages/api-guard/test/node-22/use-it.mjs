// Runs on Node 22 in a folder where the packed tarball is installed: imports every path of it, and guards an API of each framework.
import { createGuard, createMemoryCache } from '@gatewright/api-guard';
import * as forExpress from '@gatewright/api-guard/express';
import * as forFastify from '@gatewright/api-guard/fastify';
import * as forHono from '@gatewright/api-guard/hono';
import { createMemcachedCache } from '@gatewright/api-guard/memcached';
import { createSessionBroker } from '@gatewright/api-guard/session-broker';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';

const [memcached] = process.argv.slice(2);
const cache = memcached ? createMemcachedCache({ servers: [memcached] }) : createMemoryCache();
let asked = 0;
const guard = createGuard({
  issuer: 'https://acme-dev.example/',
  audience: 'https://venues',
  secret: 's'.repeat(32),
  cache,
  verify: async () => {
    asked++;
    return { active: true, user: { sub: 'ada' }, permissions: ['read:venues'] };
  },
});
const init = { headers: { authorization: 'Bearer at' } };

async function withExpress() {
  const app = express();
  app.use(forExpress.authenticate(guard));
  app.get('/', forExpress.requirePermissions('read:venues'), ({ user }, response) => response.send(user.sub));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const texts = [await (await fetch(origin, init)).text(), (await fetch(origin)).status];
  server.closeAllConnections();
  server.close();
  return texts;
}

async function withFastify() {
  const app = Fastify();
  await app.register(forFastify.authenticate(guard));
  app.get('/', { onRequest: forFastify.requirePermissions('read:venues') }, async ({ user }) => user.sub);
  const texts = [(await app.inject({ url: '/', ...init })).body, (await app.inject('/')).statusCode];
  await app.close();
  return texts;
}

async function withHono() {
  const app = new Hono();
  app.use(forHono.authenticate(guard));
  app.get('/', forHono.requirePermissions('read:venues'), (c) => c.text(c.var.user.sub));
  return [await (await app.request('/', init)).text(), (await app.request('/')).status];
}

/** A token that no session has: nobody is asked. */
async function withBroker() {
  const options = { issuer: 'https://acme-dev.example/', audience: 'https://venues', secret: 's'.repeat(32) };
  const broker = createSessionBroker({ ...options, clientId: 'backend', clientSecret: 'secret', cache });
  return broker.refresh('at').catch(({ code }) => code);
}

const broker = await withBroker();
const results = { express: await withExpress(), fastify: await withFastify(), hono: await withHono() };
await cache.close();
process.stdout.write(JSON.stringify({ node: process.versions.node.split('.')[0], asked, broker, ...results }));
