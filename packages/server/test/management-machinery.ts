import fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { createLog } from '../src/kit/log.ts';
import type { AuditEvent, RecordEvent } from '../src/logs/event.ts';
import type { Management } from '../src/management/call.ts';
import { unauthorized } from '../src/management/management-errors.ts';
import type { RateLimit } from '../src/management/rate-bucket-store.ts';
import { registerManagement } from '../src/management/register-management.ts';
import { createManagementTokenVerifier } from '../src/management/verify-management-token.ts';
import type { Tenant } from '../src/tenants/tenant.ts';

/** What handlers of these tests change: a map that forgets what a failed transaction wrote. */
export interface ThingStores {
  readonly record: RecordEvent;
  readonly things: Map<string, unknown>;
}

export const ORIGIN = 'https://acme.example';
export const NOW = new Date('2026-03-01T12:00:00Z');

export const acme: Tenant = {
  tenantId: 'acme',
  environment: 'production',
  isDefault: false,
  settings: {},
  origins: [ORIGIN, 'http://localhost:3000'],
};

export interface Machinery {
  readonly app: FastifyInstance;
  readonly events: AuditEvent[];
  readonly log: string[];
  readonly things: Map<string, unknown>;
  /** A signed access token; claims and header of the usual one can be replaced. */
  token(
    scope: string,
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  call(scope: string, request: InjectOptions): Promise<MachineryAnswer>;
}

export interface MachineryAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A server with nothing but the Management API's machinery and the routes of a test, and a real signing key. */
export async function createMachinery(
  routes: (management: Management<ThingStores>) => void,
  options: { readonly rateLimit?: RateLimit; readonly now?: () => Date } = {},
): Promise<Machinery> {
  const events: AuditEvent[] = [];
  const lines: string[] = [];
  const things = new Map<string, unknown>();
  const { privateKey, publicKey } = await signingKey;
  const now = options.now ?? (() => NOW);
  const record: RecordEvent = async (_tenantId, event) => void events.push(event);

  const app = fastify({ routerOptions: { maxParamLength: 1024 }, bodyLimit: 65_536 });
  app.decorateRequest('tenant');
  app.decorateRequest('origin', '');
  app.decorateRequest('requester');
  app.addHook('onRequest', async (request) => {
    request.tenant = acme;
    request.origin = ORIGIN;
    request.requester = { ip: '203.0.113.7', clientIp: '203.0.113.7', userAgent: 'test', hostname: 'acme.example' };
  });
  await app.register(
    async (scoped) =>
      routes(
        registerManagement<ThingStores>({
          app: scoped,
          log: createLog('json', (line) => void lines.push(line)),
          stores: { record, things },
          async transact(work) {
            const written = new Map(things);
            const recorded: AuditEvent[] = [];
            const result = await work({
              things: written,
              record: async (_tenantId, event) => void recorded.push(event),
            });
            for (const [key, value] of written) things.set(key, value);
            events.push(...recorded);
            return result;
          },
          recordAlone: record,
          checkHolder: () => Promise.reject(unauthorized('invalid')),
          verifyAccessToken: createManagementTokenVerifier({
            keys: {
              verificationKey: async (tenantId, kid) => (tenantId === 'acme' && kid === KID ? publicKey : undefined),
            },
            isTenantOrigin: (tenant, origin) => tenant.origins.includes(origin),
            isManagementAudience: (tenant, audience) =>
              tenant.origins.some((origin) => audience === `${origin}/api/v2/`),
            now,
          }),
          now,
          ...(options.rateLimit && { rateLimit: options.rateLimit }),
        }),
      ),
    { prefix: '/api/v2' },
  );
  await app.ready();

  async function token(
    scope: string,
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ) {
    const seconds = Math.floor(now().getTime() / 1000);
    const usual = {
      iss: `${ORIGIN}/`,
      aud: `${ORIGIN}/api/v2/`,
      sub: 'client1@clients',
      azp: 'client1',
      jti: 'token1',
      iat: seconds,
      exp: seconds + 3600,
      scope,
    };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: KID, ...header })
      .sign(privateKey);
  }

  async function call(scope: string, request: InjectOptions): Promise<MachineryAnswer> {
    const headers = { authorization: `Bearer ${await token(scope)}`, ...request.headers };
    return send(app, { ...request, headers });
  }

  return { app, events, log: lines, things, token, call };
}

export async function send(app: FastifyInstance, request: InjectOptions): Promise<MachineryAnswer> {
  const response = await app.inject(request);
  const body: unknown = response.body === '' ? undefined : JSON.parse(response.body);
  return { status: response.statusCode, body, headers: response.headers };
}

export const KID = 'key-of-acme-000000000';
export const signingKey = generateKeyPair('RS256', { extractable: true });

export async function publicJwk(): Promise<JWK> {
  return exportJWK((await signingKey).publicKey);
}
