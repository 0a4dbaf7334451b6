import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Exchange, type Recorder, startRecorder } from '../recorder/recorder.ts';
import { buildGuard } from './build-guard.ts';
import { freePorts } from './free-ports.ts';
import { type Gatewright, type NewTenant, startGatewright } from './gatewright.ts';
import { type Memcached, startMemcached } from './memcached.ts';
import type { RunningProcess } from './run-process.ts';
import type { EnvironmentSettings } from './set-up-environment.ts';
import { type Ports, type ServiceOrigins, startEnvironment } from './start-environment.ts';

export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** One tenant of Gatewright with the company's services in front of it. */
export interface DemoEnvironment extends EnvironmentSettings, ServiceOrigins {
  readonly name: EnvironmentName;
  readonly management: NewTenant['management'];
  /** What the guards and the broker encrypt entries of the cache with. */
  readonly guardSecret: string;
  readonly callerSecrets: { readonly venues: string; readonly users: string };
  /** In front of its token service; where nothing is recorded there is none. */
  readonly tokenServiceRecorder: Recorder | undefined;
}

export interface Demo {
  readonly environments: Readonly<Record<EnvironmentName, DemoEnvironment>>;
  readonly memcached: Memcached;
  readonly processes: readonly RunningProcess[];
  readonly gatewrightRecorder: Recorder | undefined;
  /** All HTTP so far. */
  readonly exchanges: readonly Exchange[];
  readonly maxStaleSeconds: number;
  stop(): Promise<void>;
}

interface Options {
  /** A recorder in front of each process: for checks alone. */
  readonly records?: boolean;
  readonly maxStaleSeconds?: number;
  /** The first of the ports, where they are free. */
  readonly firstPort?: number | undefined;
  readonly onStarted?: (words: string) => void;
}

export const COMPANY = 'acme';
const ENVIRONMENTS = ['dev', 'int'] as const;
export const LOOPBACK = '127.0.0.1';
/** Where processes listen while a recorder has their port: another address of this machine. */
const BEHIND = process.platform === 'linux' ? '127.0.0.2' : '::1';
const PORTS_OF_AN_ENVIRONMENT = 3;

/** Gatewright, memcached, and for each environment a tenant, a token service, the user API and the venue API. */
export async function startEverything({
  records = false,
  maxStaleSeconds = 60,
  firstPort,
  onStarted = () => {},
}: Options = {}): Promise<Demo> {
  await buildGuard();
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'gatewright-venues-'));
  const [gatewrightPort = 0, memcachedPort = 0, ...others] = await freePorts(
    2 + ENVIRONMENTS.length * PORTS_OF_AN_ENVIRONMENT,
    firstPort,
  );
  const exchanges: Exchange[] = [];
  const processes: RunningProcess[] = [];
  const recorders: Recorder[] = [];
  const host = records ? BEHIND : LOOPBACK;
  let memcached: Memcached | undefined;

  async function inFrontOf(to: string, port: number): Promise<Recorder | undefined> {
    if (!records) return undefined;
    const record = (exchange: Exchange) => void exchanges.push(exchange);
    const recorder = await startRecorder({ to, host: LOOPBACK, target: BEHIND, port, record });
    recorders.push(recorder);
    return recorder;
  }

  function started(process: RunningProcess, where: string): RunningProcess {
    processes.push(process);
    onStarted(`${process.name.padEnd(20)} pid ${String(process.pid).padEnd(8)} ${where}`);
    return process;
  }

  async function stop(): Promise<void> {
    // Who asks goes before who is asked.
    await Promise.all(processes.slice(1).map((process) => process.stop()));
    await Promise.all([...processes.slice(0, 1).map((process) => process.stop()), memcached?.stop()]);
    await Promise.all(recorders.map((recorder) => recorder.close()));
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const cache = await startMemcached(memcachedPort);
    memcached = cache;
    onStarted(`${'memcached'.padEnd(20)} pid ${String(cache.pid).padEnd(8)} ${cache.address}`);
    const gatewrightRecorder = await inFrontOf('Gatewright', gatewrightPort);
    const gatewright: Gatewright = await startGatewright({ host, port: gatewrightPort, folder: join(folder, 'data') });
    started(gatewright.process, `http://${LOOPBACK}:${gatewrightPort}`);
    // One after the other: each makes its tenant by the command line.
    const environments: [EnvironmentName, DemoEnvironment][] = [];
    for (const [index, name] of ENVIRONMENTS.entries()) {
      const own = others.slice(index * PORTS_OF_AN_ENVIRONMENT, (index + 1) * PORTS_OF_AN_ENVIRONMENT);
      const [tokenService = 0, userApi = 0, venueApi = 0] = own;
      const ports: Ports = { tokenService, userApi, venueApi };
      const tenant = await gatewright.makeTenant(`${COMPANY}-${name}`);
      const secrets = { guardSecret: secret(), callerSecrets: { venues: secret(), users: secret() } };
      const environment = await startEnvironment({
        ...secrets,
        ...{ name, tenant, host, ports, maxStaleSeconds, inFrontOf, started },
        memcached: cache.address,
      });
      environments.push([name, { ...environment, ...secrets, name, management: tenant.management }]);
    }
    return {
      environments: Object.fromEntries(environments) as Record<EnvironmentName, DemoEnvironment>,
      memcached: cache,
      processes,
      gatewrightRecorder,
      exchanges,
      maxStaleSeconds,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const secret = (): string => randomBytes(32).toString('base64url');
