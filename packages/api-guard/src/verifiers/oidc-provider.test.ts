/// <reference path="../../../server/bench/programs/oidc-provider-types.d.ts" />
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forge } from '../../test/forged-tokens.ts';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { authenticate, requirePermissions } from '../frameworks/express.ts';
import { createGuard } from '../guard/create-guard.ts';
import { byIntrospection } from './by-introspection.ts';
import { bySignature } from './by-signature.ts';
import type { VerifyToken } from './verify-token.ts';

const JWT_API = 'https://venues.example/jwt';
const OPAQUE_API = 'https://venues.example/opaque';
const CLIENT = { client_id: 'service', client_secret: 'a-secret-of-the-service' };

/** A server that we did not write, with one API whose tokens are JWTs and one whose tokens are opaque. */
let issuer: string;
const sockets: ReturnType<typeof createServer>[] = [];
beforeAll(async () => {
  const listener: { current?: RequestListener } = {};
  issuer = await listen((request, response) => listener.current?.(request, response));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
    clients: [
      {
        ...CLIENT,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, audience: string) => ({
          audience,
          scope: 'read:venues write:venues',
          accessTokenFormat: audience === JWT_API ? 'jwt' : 'opaque',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  listener.current = provider.callback();
});
afterAll(() => {
  for (const socket of sockets) {
    socket.closeAllConnections();
    socket.close();
  }
});

async function listen(handler: RequestListener): Promise<string> {
  const socket = createServer(handler).listen(0, '127.0.0.1');
  await once(socket, 'listening');
  sockets.push(socket);
  return `http://127.0.0.1:${(socket.address() as AddressInfo).port}`;
}

async function tokenFor(resource: string): Promise<string> {
  const form = { grant_type: 'client_credentials', ...CLIENT, resource, scope: 'read:venues' };
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
  return String(((await response.json()) as Record<string, unknown>).access_token);
}

/** An API behind the middleware, as its users write it; the clock is theirs to move. */
async function startApi(audience: string, verify: (now: () => number) => VerifyToken) {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const guard = createGuard({
    issuer,
    audience,
    secret: 's'.repeat(32),
    cache: createMemoryCache({ now }),
    verify: verify(now),
    now,
  });
  const app = express();
  app.use(authenticate(guard));
  app.get('/venues', requirePermissions('read:venues'), ({ user }, response) => void response.json(user));
  app.post('/venues', requirePermissions('write:venues'), (_request, response) => void response.json({}));
  const origin = await listen(app);
  return {
    guard,
    later(seconds: number): void {
      ahead += seconds * 1000;
    },
    async ask(token: string, method = 'GET'): Promise<number> {
      const response = await fetch(`${origin}/venues`, { method, headers: { authorization: `Bearer ${token}` } });
      return response.status;
    },
  };
}

describe('an API behind the guard, with tokens of oidc-provider by discovery', () => {
  it('checks JWTs by the published keys', async () => {
    const { guard, ask, later } = await startApi(JWT_API, (now) =>
      bySignature({ issuer, audience: JWT_API, alsoAsk: 'nobody', now }),
    );
    const token = await tokenFor(JWT_API);
    expect([await ask(token), await ask(token), await ask(token, 'POST')]).toEqual([200, 200, 403]);
    expect(guard.stats()).toMatchObject({ hits: 2, misses: 1 });
    const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: Record<string, unknown>[] };
    for (const [what, forged] of Object.entries(forge(token, keys[0] ?? {}))) expect(await ask(forged), what).toBe(401);
    expect(await ask(await tokenFor('https://users.example/'))).toBe(401);
    later(601);
    expect(await ask(token)).toBe(401);
  });

  it('checks opaque tokens by introspection, and hears of a revocation after maxStale', async () => {
    const { guard, ask, later } = await startApi(OPAQUE_API, () =>
      byIntrospection({
        issuer,
        audience: OPAQUE_API,
        clientId: CLIENT.client_id,
        clientSecret: CLIENT.client_secret,
      }),
    );
    const token = await tokenFor(OPAQUE_API);
    expect([await ask(token), await ask(token), await ask(token, 'POST')]).toEqual([200, 200, 403]);
    expect(guard.stats()).toMatchObject({ hits: 2, misses: 1, asked: 1 });
    expect(await ask(await tokenFor('https://users.example/'))).toBe(401);
    const revocation = new URLSearchParams({ ...CLIENT, token });
    await fetch(`${issuer}/token/revocation`, { method: 'POST', body: revocation });
    expect(await ask(token)).toBe(200);
    later(60);
    expect(await ask(token)).toBe(401);
  });
});
