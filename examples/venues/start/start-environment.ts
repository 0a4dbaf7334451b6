import { fileURLToPath } from 'node:url';
import type { Recorder } from '../recorder/recorder.ts';
import { type NewTenant, startTokenService } from './gatewright.ts';
import { type RunningProcess, runProcess } from './run-process.ts';
import { type EnvironmentSettings, setUpEnvironment } from './set-up-environment.ts';

export interface Ports {
  readonly tokenService: number;
  readonly userApi: number;
  readonly venueApi: number;
}

export interface ServiceOrigins {
  readonly tokenService: string;
  readonly userApi: string;
  readonly venueApi: string;
}

interface Options {
  readonly name: string;
  readonly tenant: NewTenant;
  /** Where the processes listen; they are asked at 127.0.0.1. */
  readonly host: string;
  readonly ports: Ports;
  readonly memcached: string;
  readonly maxStaleSeconds: number;
  readonly guardSecret: string;
  readonly callerSecrets: { readonly venues: string; readonly users: string };
  readonly inFrontOf: (to: string, port: number) => Promise<Recorder | undefined>;
  readonly started: (process: RunningProcess, where: string) => RunningProcess;
}

const RESOLVE_LOCALHOST = new URL('resolve-localhost.ts', import.meta.url).href;
/** Wider than the 20 ms of production: two cores may be busy with all these processes. */
const MEMCACHED_DEADLINE_MS = 500;

/** Sets the tenant up and starts its token service, its user API and its venue API, each told no more than it has to know. */
export async function startEnvironment(
  options: Options,
): Promise<EnvironmentSettings & ServiceOrigins & { readonly tokenServiceRecorder: Recorder | undefined }> {
  const { name, tenant, host, ports, guardSecret, callerSecrets, inFrontOf, started } = options;
  const settings = await setUpEnvironment(tenant);
  const { issuer, audience, client, introspection } = settings;
  const origins = {
    tokenService: `http://127.0.0.1:${ports.tokenService}`,
    userApi: `http://127.0.0.1:${ports.userApi}`,
    venueApi: `http://127.0.0.1:${ports.venueApi}`,
  };
  const names = {
    tokenService: `token-service (${name})`,
    userApi: `user-api (${name})`,
    venueApi: `venue-api (${name})`,
  };
  const guarded = {
    HOST: host,
    ISSUER: issuer,
    AUDIENCE: audience,
    GUARD_SECRET: guardSecret,
    MEMCACHED: options.memcached,
    MEMCACHED_DEADLINE_MS: String(MEMCACHED_DEADLINE_MS),
    TOKEN_SERVICE: origins.tokenService,
    MAX_STALE_SECONDS: String(options.maxStaleSeconds),
  };

  const tokenServiceRecorder = await inFrontOf(names.tokenService, ports.tokenService);
  await inFrontOf(names.userApi, ports.userApi);
  await inFrontOf(names.venueApi, ports.venueApi);
  const processes = await Promise.all([
    startTokenService(names.tokenService, {
      ...{ host, issuer, audience, callers: callerSecrets },
      port: ports.tokenService,
      clientId: introspection.id,
      clientSecret: introspection.secret,
    }),
    startService(names.userApi, 'user-api.ts', {
      ...guarded,
      PORT: String(ports.userApi),
      CALLER_SECRET: callerSecrets.users,
      ENVIRONMENT: name,
      VENUES_ORIGIN: origins.venueApi,
      CLIENT_ID: client.id,
      CLIENT_SECRET: client.secret,
    }),
    startService(names.venueApi, 'venue-api.ts', {
      ...guarded,
      PORT: String(ports.venueApi),
      CALLER_SECRET: callerSecrets.venues,
      PAGE_ORIGIN: origins.userApi,
    }),
  ]);
  const [tokenService, userApi, venueApi] = processes;
  started(tokenService, origins.tokenService);
  started(userApi, origins.userApi);
  started(venueApi, origins.venueApi);
  return { ...settings, ...origins, tokenServiceRecorder };
}

function startService(name: string, file: string, env: Readonly<Record<string, string>>): Promise<RunningProcess> {
  const service = fileURLToPath(new URL(`../services/${file}`, import.meta.url));
  return runProcess({ name, args: ['--import', RESOLVE_LOCALHOST, service], env, ready: 'listens at ' });
}
