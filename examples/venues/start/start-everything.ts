import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ByteRecorder, recordBytes } from '../recorder/record-bytes.ts';
import { type Exchange, type Recorder, startRecorder } from '../recorder/recorder.ts';
import { buildGuard } from './build-guard.ts';
import { freePorts } from './free-ports.ts';
import { type NewTenant, startGatewright } from './gatewright.ts';
import { type Member, makeMember } from './make-member.ts';
import { findMemcached, type Memcached, startMemcached } from './memcached.ts';
import { createProcesses, type RunningProcess } from './processes.ts';
import { readTenant, setUpFromFile, writeSecretFile } from './secret-files.ts';
import type { EnvironmentSettings } from './set-up-environment.ts';
import { type Deadlines, type ServiceOrigins, type ServiceRecorders, startEnvironment } from './start-environment.ts';

export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** One tenant of Gatewright with the company's services in front of it. */
export interface DemoEnvironment extends EnvironmentSettings, ServiceOrigins {
  readonly name: EnvironmentName;
  readonly newTenant: NewTenant;
  /** What the command that made the tenant printed, and what the setup made of it. */
  readonly files: { readonly tenant: string; readonly services: string };
  readonly user: Member;
  /** What the guards and the broker encrypt entries of the cache with. */
  readonly guardSecret: string;
  readonly callerSecrets: { readonly venues: string; readonly users: string };
  readonly recorders: ServiceRecorders;
  readonly maxStaleSeconds: number;
}

export interface Demo {
  readonly environments: Readonly<Record<EnvironmentName, DemoEnvironment>>;
  readonly memcached: Memcached;
  readonly processes: readonly RunningProcess[];
  readonly gatewrightRecorder: Recorder | undefined;
  readonly memcachedRecorder: ByteRecorder | undefined;
  /** All HTTP so far. */
  readonly exchanges: readonly Exchange[];
}

interface Options {
  /** A recorder in front of each process: for checks alone. */
  readonly records?: boolean;
  readonly maxStaleSeconds: Readonly<Record<EnvironmentName, number>>;
  readonly deadlines?: Deadlines;
  /** The first of the ports, where they are free. */
  readonly firstPort?: number;
  readonly onStarted?: (process: RunningProcess, where: string) => void;
}

export const COMPANY = 'acme';
const ENVIRONMENTS = ['dev', 'int'] as const;
export const LOOPBACK = '127.0.0.1';
/** Where processes listen while a recorder has their port: another address of this machine. */
const BEHIND = process.platform === 'linux' ? '127.0.0.2' : '::1';
const PORTS_OF_AN_ENVIRONMENT = 3;
/** 20 ms are enough for memcached in production, and 5 s for the rest: here one machine has all these processes. */
const DEADLINES = { memcachedMs: 2_000, requestMs: 10_000 };

/** Gatewright, memcached, and for each environment a tenant, a token service, the user API and the venue API. `stop` at any time. */
export function startEverything(options: Options): { readonly ready: Promise<Demo>; stop(): Promise<void> } {
  const processes = createProcesses();
  const recorders: { close(): Promise<void> }[] = [];
  const begun = begin();

  async function begin() {
    const file = findMemcached();
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'gatewright-venues-'));
    return { folder, demo: startIn(folder, file) };
  }

  async function startIn(folder: string, memcachedFile: string): Promise<Demo> {
    const { records = false, maxStaleSeconds, deadlines = DEADLINES, firstPort, onStarted = () => {} } = options;
    await buildGuard(processes);
    const host = records ? BEHIND : LOOPBACK;
    const exchanges: Exchange[] = [];
    const running: RunningProcess[] = [];
    const count = 2 + ENVIRONMENTS.length * PORTS_OF_AN_ENVIRONMENT;
    const [gatewrightPort = 0, memcachedPort = 0, ...others] = await freePorts(count, firstPort);

    async function inFrontOf(to: string, port: number): Promise<Recorder | undefined> {
      if (!records) return undefined;
      const record = (exchange: Exchange) => void exchanges.push(exchange);
      const recorder = await startRecorder({ to, host: LOOPBACK, target: BEHIND, port, record });
      recorders.push(recorder);
      return recorder;
    }

    function started(process: RunningProcess, where: string): void {
      running.push(process);
      onStarted(process, where);
    }

    const memcachedAt = { file: memcachedFile, host, port: memcachedPort };
    const memcached = await startMemcached(processes, memcachedAt);
    const memcachedRecorder = records
      ? await recordBytes({ host: LOOPBACK, target: BEHIND, port: memcachedPort })
      : undefined;
    if (memcachedRecorder) recorders.push(memcachedRecorder);
    const memcachedAddress = `${LOOPBACK}:${memcachedPort}`;
    started(memcached.process, memcachedAddress);
    const gatewrightRecorder = await inFrontOf('Gatewright', gatewrightPort);
    const gatewrightAt = { host, port: gatewrightPort, folder: join(folder, 'data') };
    const gatewright = await startGatewright(processes, gatewrightAt);
    started(gatewright.process, `http://localhost:${gatewrightPort}`);

    async function makeEnvironment(name: EnvironmentName, ports: readonly number[]): Promise<DemoEnvironment> {
      const [tokenService = 0, userApi = 0, venueApi = 0] = ports;
      const tenant = `${COMPANY}-${name}`;
      const files = { tenant: join(folder, `${tenant}.json`), services: join(folder, `${tenant}-services.json`) };
      await writeSecretFile(files.tenant, await gatewright.makeTenant(tenant));
      const settings = await setUpFromFile(files.tenant, files.services);
      const newTenant = await readTenant(files.tenant);
      const own = {
        ...{ name, settings, maxStaleSeconds: maxStaleSeconds[name] },
        guardSecret: secret(),
        callerSecrets: { venues: secret(), users: secret() },
      };
      const services = await startEnvironment(processes, {
        ...{ ...own, host, deadlines, inFrontOf, started },
        ports: { tokenService, userApi, venueApi },
        memcached: memcachedAddress,
      });
      return { ...settings, ...own, ...services, newTenant, files, user: await makeMember(newTenant) };
    }

    const environments: [EnvironmentName, DemoEnvironment][] = [];
    // One after the other: what is printed is in order.
    for (const [index, name] of ENVIRONMENTS.entries()) {
      const own = others.slice(index * PORTS_OF_AN_ENVIRONMENT, (index + 1) * PORTS_OF_AN_ENVIRONMENT);
      environments.push([name, await makeEnvironment(name, own)]);
    }
    return {
      environments: Object.fromEntries(environments) as Record<EnvironmentName, DemoEnvironment>,
      ...{ memcached, processes: running, gatewrightRecorder, memcachedRecorder, exchanges },
    };
  }

  const ready = begun.then(({ demo }) => demo);

  async function end(): Promise<void> {
    await processes.stop();
    // Recorders may be about to start.
    await ready.catch(() => {});
    await Promise.all(recorders.map((recorder) => recorder.close()));
    const folder = await begun.then(
      (made) => made.folder,
      () => undefined,
    );
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  let ending: Promise<void> | undefined;
  return {
    ready,
    stop() {
      ending ??= end();
      return ending;
    },
  };
}

const secret = (): string => randomBytes(32).toString('base64url');
