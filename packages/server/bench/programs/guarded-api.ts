// An API of one route, by Express or Fastify: with one get of memcached and no more, behind api-guard, or behind
// express-oauth2-jwt-bearer, which checks the signature each time and knows no revocation.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import Fastify from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { authenticate as authenticateExpress } from '../../../api-guard/src/frameworks/express.ts';
import { authenticate as authenticateFastify } from '../../../api-guard/src/frameworks/fastify.ts';
import { createGuard } from '../../../api-guard/src/guard/create-guard.ts';
import { createMemcachedCache } from '../../../api-guard/src/memcached/memcached-cache.ts';

export type GuardedApiTask =
  | {
      readonly framework: 'express' | 'fastify';
      readonly by: 'one get' | 'api-guard' | 'jwt-bearer';
      /** Of memcached. */
      readonly address: string;
      readonly users: number;
    }
  /** So many checks at once of a token that nobody knows. */
  | { readonly misses: number };

export interface GuardedApiResult {
  readonly port: number;
  /** Of users of their own: requests with one token share a look into the cache. */
  readonly tokens: readonly string[];
  /** Questions to the token service. */
  readonly asked: number;
  readonly milliseconds: number;
}

const ISSUER = 'https://acme-dev.example/';
const AUDIENCE = 'https://venues.example/';
const HOUR = 3_600;
/** What a question to a token service takes, about. */
const ANSWER_MS = 5;

let asked = 0;
let guard: ReturnType<typeof createGuard> | undefined;

process.on('message', async (task: GuardedApiTask) => {
  process.send?.('misses' in task ? await miss(task.misses) : await start(task));
});

async function start({
  framework,
  by,
  address,
  users,
}: Extract<GuardedApiTask, { by: string }>): Promise<GuardedApiResult> {
  const cache = createMemcachedCache({ servers: [address], deadlineMs: 1_000 });
  guard = createGuard({
    issuer: ISSUER,
    audience: AUDIENCE,
    secret: randomBytes(32).toString('hex'),
    cache,
    maxStaleSeconds: HOUR,
    async verify() {
      asked++;
      await sleep(ANSWER_MS);
      const expiresAt = Math.floor(Date.now() / 1000) + HOUR;
      return { active: true, expiresAt, user: { sub: 'auth0|ada', name: 'Ada' }, permissions: ['read:venues'] };
    },
  });
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const tokens = await Promise.all(
    Array.from({ length: users }, (_, user) =>
      new SignJWT({ scope: 'read:venues' })
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'one' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(`auth0|${user}`)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    ),
  );
  await cache.set('as-large-as-an-entry', 'x'.repeat(300), HOUR);
  const getOnce = () => cache.get('as-large-as-an-entry');

  if (framework === 'fastify') {
    const app = Fastify();
    if (by === 'api-guard') app.register(authenticateFastify(guard));
    else app.addHook('onRequest', async () => void (await getOnce()));
    app.get('/venues', async () => ({ venues: [] }));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: portOf(app.server), tokens, asked, milliseconds: 0 };
  }
  const app = express();
  if (by === 'api-guard') app.use(authenticateExpress(guard));
  else if (by === 'one get') app.use((_request, _response, next) => void getOnce().then(() => next(), next));
  else {
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] });
    const jwks = createServer((_request, response) => response.end(keys));
    const jwksUri = `http://127.0.0.1:${await listen(jwks)}/`;
    app.use(auth({ issuer: ISSUER, audience: AUDIENCE, jwksUri, tokenSigningAlg: 'RS256' }));
  }
  app.get('/venues', (_request, response) => void response.json({ venues: [] }));
  return { port: await listen(createServer(app)), tokens, asked, milliseconds: 0 };
}

async function miss(count: number): Promise<GuardedApiResult> {
  const token = randomBytes(32).toString('hex');
  const before = asked;
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, () => guard?.check(`Bearer ${token}`)));
  return { port: 0, tokens: [], asked: asked - before, milliseconds: performance.now() - began };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(portOf(server))));
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
