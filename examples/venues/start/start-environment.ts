import { fileURLToPath } from 'node:url';
import type { Recorder } from '../recorder/recorder.ts';
import { startTokenService } from './gatewright.ts';
import type { Processes, RunningProcess } from './processes.ts';
import type { EnvironmentSettings } from './set-up-environment.ts';

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

/** In front of its services; where nothing is recorded there are none. */
export type ServiceRecorders = Readonly<Record<keyof ServiceOrigins, Recorder | undefined>>;

/** How long services wait for memcached, and for the services that they ask. */
export interface Deadlines {
  readonly memcachedMs: number;
  readonly requestMs: number;
}

interface Options {
  readonly name: string;
  readonly settings: EnvironmentSettings;
  /** Where the processes listen; they are asked at 127.0.0.1. */
  readonly host: string;
  readonly ports: Ports;
  readonly memcached: string;
  readonly maxStaleSeconds: number;
  readonly deadlines: Deadlines;
  readonly guardSecret: string;
  readonly callerSecrets: { readonly venues: string; readonly users: string };
  readonly inFrontOf: (to: string, port: number) => Promise<Recorder | undefined>;
  readonly started: (process: RunningProcess, where: string) => void;
}

const RESOLVE_LOCALHOST = new URL('resolve-localhost.ts', import.meta.url).href;

/** Starts the token service, the user API and the venue API of an environment, each told no more than it has to know. */
export async function startEnvironment(
  processes: Processes,
  options: Options,
): Promise<ServiceOrigins & { readonly recorders: ServiceRecorders }> {
  const { name, settings, host, ports, deadlines, guardSecret, callerSecrets, inFrontOf, started } = options;
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
    MEMCACHED_DEADLINE_MS: String(deadlines.memcachedMs),
    TOKEN_SERVICE: origins.tokenService,
    DEADLINE_MS: String(deadlines.requestMs),
    MAX_STALE_SECONDS: String(options.maxStaleSeconds),
  };

  const recorders = {
    tokenService: await inFrontOf(names.tokenService, ports.tokenService),
    userApi: await inFrontOf(names.userApi, ports.userApi),
    venueApi: await inFrontOf(names.venueApi, ports.venueApi),
  };
  const [tokenService, userApi, venueApi] = await Promise.all([
    startTokenService(processes, names.tokenService, {
      ...{ host, issuer, audience, callers: callerSecrets },
      port: ports.tokenService,
      clientId: introspection.id,
      clientSecret: introspection.secret,
    }),
    startService(processes, names.userApi, 'user-api.ts', {
      ...guarded,
      PORT: String(ports.userApi),
      CALLER_SECRET: callerSecrets.users,
      ENVIRONMENT: name,
      VENUES_ORIGIN: origins.venueApi,
      CLIENT_ID: client.id,
      CLIENT_SECRET: client.secret,
    }),
    startService(processes, names.venueApi, 'venue-api.ts', {
      ...guarded,
      PORT: String(ports.venueApi),
      CALLER_SECRET: callerSecrets.venues,
      PAGE_ORIGIN: origins.userApi,
    }),
  ]);
  started(tokenService, origins.tokenService);
  started(userApi, origins.userApi);
  started(venueApi, origins.venueApi);
  return { ...origins, recorders };
}

function startService(
  processes: Processes,
  name: string,
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<RunningProcess> {
  const service = fileURLToPath(new URL(`../services/${file}`, import.meta.url));
  return processes.start({ name, args: ['--import', RESOLVE_LOCALHOST, service], env, ready: 'listens at ' });
}
