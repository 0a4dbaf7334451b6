import { Resolver } from 'node:dns/promises';
import type { InjectOptions, Response } from 'light-my-request';
import { inject } from 'vitest';
import { type App, createApp } from '../src/app/app.ts';
import type { World as AppWorld } from '../src/app/app-world.ts';
import { createPool } from '../src/db/database.ts';
import { createLog } from '../src/kit/log.ts';
import type { FirstRunSecrets } from '../src/tenants/first-run.ts';
import type { Environment } from '../src/tenants/tenant.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';
import { createVisitor, type Visitor } from './visitor.ts';
import { COMMON, PORTS } from './world-config.ts';

const MODULES = ['4.17.21', 'latest'];
/**
 * Of tenant code: more patience than ours, for busy machines, and one container a pool, since the second one, which a late
 * heartbeat of the first brings, would begin afresh in the middle of a test.
 */
const CONTAINERS = { jobMs: 60_000, queueMs: 60_000, startMs: 60_000, containersPerPool: 1 };

/** A tenant of a world, with the ids and secrets of its first run. */
export interface WorldTenant extends FirstRunSecrets {
  readonly origin: string;
  readonly issuer: string;
  readonly managementAudience: string;
}

export interface WorldRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'HEAD';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string | Buffer;
  /** The tenant that is asked; the world's own unless said otherwise. */
  readonly tenant?: Pick<WorldTenant, 'origin'>;
}

/** The Management API with a token of some scopes: `world.api('read:users')`. */
export interface ManagementClient {
  get(path: string): Promise<Response>;
  post(path: string, body?: unknown): Promise<Response>;
  put(path: string, body?: unknown): Promise<Response>;
  patch(path: string, body: unknown): Promise<Response>;
  delete(path: string, body?: unknown): Promise<Response>;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

/**
 * A whole server in process, on a PostgreSQL of its own: requests go through the front door without a socket, and the
 * clock stands still until a test moves it. Its origins are https://localhost:3443 (default) and http://localhost:3000.
 */
export async function startWorld({
  environment = 'development',
  database,
  existing,
  secret = WORLD_SECRET,
  config = {},
  resolver = noDns(),
  managementRateLimit,
  findModule = async (name, version) => (name === 'lodash' && MODULES.includes(version) ? '4.17.21' : undefined),
  containerLimits,
  backgroundLimits,
  runAction,
  streamRandom,
  worksByItself = true,
  httpPort = PORTS.http,
  processes = 1,
}: {
  environment?: Environment;
  database?: TestDatabase;
  /** The tenant `dev` of a database that was filled before: none is made. */
  existing?: FirstRunSecrets;
  /** What the rows of such a database are sealed with. */
  secret?: Buffer;
  config?: Partial<AppWorld['config']>;
  /** The DNS that custom domains are proved in: none unless said otherwise. */
  resolver?: AppWorld['resolver'];
  managementRateLimit?: AppWorld['managementRateLimit'];
  /** The module store: it has lodash 4.17.21 unless said otherwise. */
  findModule?: AppWorld['findModule'];
  /** Of tenant code, where they are not those of all worlds. */
  containerLimits?: AppWorld['containerLimits'];
  /** Of tenant code that nobody waits for, where they are not ours. */
  backgroundLimits?: AppWorld['backgroundLimits'];
  /** How a draft is tried: in a container unless said otherwise. */
  runAction?: AppWorld['runAction'];
  /** The chance in what log streams wait for after a failure. */
  streamRandom?: AppWorld['streamRandom'];
  /** False where a test counts statements: none but those of its requests is made. */
  worksByItself?: boolean;
  /** Of a socket that the test itself opens, for clients that need one. */
  httpPort?: number;
  /** As many as share the work of a world with secondServer(). */
  processes?: number;
} = {}) {
  const isUsual = !database && !existing && environment === 'development' && secret === WORLD_SECRET;
  const own = database ?? (await createTestDatabase({ filled: isUsual }));
  const errors: string[] = [];
  let time = Date.now();
  const app = await startApp(own.pool);
  const known = isUsual ? inject('filled').firstRun : existing;
  const tenant = known ? placed(known, true) : await createTenant('dev', { environment, isDefault: true });

  async function startApp(pool: TestDatabase['pool']): Promise<App> {
    const started = await createApp({
      ...COMMON,
      pool,
      poolOptions: own.poolOptions,
      secret: { bytes: secret, source: 'the test' },
      config: { ...COMMON.config, ...config },
      processes,
      resolver,
      managementRateLimit,
      findModule,
      runAction,
      containerLimits: { ...CONTAINERS, ...containerLimits },
      backgroundLimits,
      streamRandom,
      worksByItself,
      listening: () => ({ ...PORTS, http: httpPort }),
      log: createLog('json', (line) => errors.push(line)),
      now: () => new Date(time),
    });
    await started.start();
    return started;
  }

  async function createTenant(
    name: string,
    options: { environment?: Environment; isDefault?: boolean } = {},
  ): Promise<WorldTenant> {
    const secrets = await app.tenants.create({
      name,
      environment: options.environment ?? 'development',
      isDefault: options.isDefault ?? false,
    });
    return placed(secrets, options.isDefault ?? false);
  }

  const request = (asked: WorldRequest) => send(app, asked);

  function send({ http }: App, asked: WorldRequest): Promise<Response> {
    const origin = new URL((asked.tenant ?? tenant).origin);
    const options: InjectOptions = {
      method: asked.method ?? (asked.form || asked.json !== undefined || asked.body !== undefined ? 'POST' : 'GET'),
      url: asked.path,
      headers: {
        host: origin.host,
        'x-forwarded-proto': origin.protocol.slice(0, -1),
        ...contentType(asked),
        ...asked.headers,
      },
    };
    const payload = asked.form
      ? new URLSearchParams(asked.form).toString()
      : asked.json !== undefined
        ? JSON.stringify(asked.json)
        : asked.body;
    return http.inject(payload === undefined ? options : { ...options, payload });
  }

  /** POST /oauth/token, as the client that the form names. */
  const token = (form: Readonly<Record<string, string>>, at?: WorldTenant) =>
    request({ path: '/oauth/token', form, ...(at && { tenant: at }) });

  async function managementToken(scopes: readonly string[] = [], at: WorldTenant = tenant): Promise<string> {
    const { client_id, client_secret } = at.management;
    const response = await token(
      {
        grant_type: 'client_credentials',
        client_id,
        client_secret,
        audience: at.managementAudience,
        ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      },
      at,
    );
    return String(response.json().access_token);
  }

  /** All scopes where none is named. */
  function apiAt(at: WorldTenant, ...scopes: string[]): ManagementClient {
    let bearer: Promise<string> | undefined;
    const call = async (method: NonNullable<WorldRequest['method']>, path: string, json?: unknown) => {
      bearer ??= managementToken(scopes, at);
      return request({
        method,
        path: `/api/v2${path}`,
        headers: { authorization: `Bearer ${await bearer}` },
        tenant: at,
        ...(json !== undefined && { json }),
      });
    };
    return {
      get: (path) => call('GET', path),
      post: (path, body) => call('POST', path, body),
      put: (path, body) => call('PUT', path, body),
      patch: (path, body) => call('PATCH', path, body),
      delete: (path, body) => call('DELETE', path, body),
    };
  }

  /** Wire records of the audit log, newest first. */
  async function events(at: WorldTenant = tenant): Promise<Record<string, unknown>[]> {
    return (await apiAt(at, 'read:logs').get('/logs?per_page=100')).json();
  }

  return {
    app,
    database: own,
    ...tenant,
    /** The world's own tenant, `dev`. */
    main: tenant,
    createTenant,
    request,
    token,
    managementToken,
    api: (...scopes: string[]) => apiAt(tenant, ...scopes),
    apiAt,
    events,
    /** A browser without scripts: keeps cookies, follows redirects within the tenant. */
    visitor: (at: WorldTenant = tenant): Visitor => createVisitor(request, at),
    /** A second server on the same database, with its own memory and connections and the same clock. */
    async secondServer() {
      const pool = createPool(own.poolOptions);
      const second = await startApp(pool);
      return {
        request: (asked: WorldRequest) => send(second, asked),
        async stop(): Promise<void> {
          await second.stop();
          await pool.end();
        },
      };
    },
    /** Lines that the server told its operator. */
    log: errors,
    now: () => new Date(time),
    /** Moves the clock. */
    advance(milliseconds: number): void {
      time += milliseconds;
    },
    async stop(): Promise<void> {
      await app.stop();
      if (!database) await own.drop();
    },
  };
}

/** Text, so that a process can be given the same one as GATEWRIGHT_SECRET. */
export const WORLD_SECRET = Buffer.from(inject('filled').secret);

function placed(secrets: FirstRunSecrets, isDefault: boolean): WorldTenant {
  const origin = `https://${isDefault ? 'localhost' : `${secrets.tenant}.localhost`}:${PORTS.https}`;
  return { ...secrets, origin, issuer: `${origin}/`, managementAudience: `${origin}/api/v2/` };
}

function contentType({ form, json }: WorldRequest): Record<string, string> {
  if (form) return { 'content-type': 'application/x-www-form-urlencoded' };
  return json === undefined ? {} : { 'content-type': 'application/json' };
}

/** Nothing answers there: no test asks the name servers of its machine. */
function noDns(): Resolver {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers(['127.0.0.1:9']);
  return resolver;
}
