import type { FirstRun } from '../src/tenants/first-run.ts';
import { type GatewrightProcess, makeDataFolder, startGatewright } from './gatewright-process.ts';
import { cpuSecondsOf } from './processes.ts';
import { median, type Program, startProgram } from './program.ts';
import type { LoadRequest, LoadResult, LoadTask } from './programs/load.ts';
import type { Figure } from './row.ts';
import { type Cores, signatureCpuSeconds, startCores } from './yardsticks.ts';

export interface Settings {
  readonly rounds: number;
  /** How long a load lasts in a round. */
  readonly seconds: number;
  readonly idleSeconds: number;
  /** At most, where the machine is too slow for WARM_UP_REQUESTS. */
  readonly warmUpSeconds: number;
  readonly profileTo: string | undefined;
}

const WARM_UP_REQUESTS = 3_000;

/** A server under test, with what its first run told. */
export interface Subject {
  readonly server: GatewrightProcess;
  readonly firstRun: FirstRun;
}

/** Where a load goes. */
export interface Target {
  readonly pid: number;
  readonly port: number;
  readonly host: string;
}

/** What rows share: one server, the yardsticks, load from a process of its own. Everything starts when it is first asked for. */
export type Workbench = ReturnType<typeof createWorkbench>;

export function createWorkbench(settings: Settings) {
  const undo: (() => Promise<unknown>)[] = [];
  const once = <Value>(make: () => Promise<Value>) => {
    let made: Promise<Value> | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };

  const subject = once(async (): Promise<Subject> => {
    const folder = await makeDataFolder();
    undo.push(folder.remove);
    const server = await startGatewright({ dataDir: folder.path, profileTo: settings.profileTo });
    undo.push(server.stop);
    return { server, firstRun: await server.firstRun() };
  });

  const program = <Task extends object, Result>(name: string): Program<Task, Result> => {
    const started = startProgram<Task, Result>(name);
    undo.push(started.stop);
    return started;
  };
  const cores = once(async (): Promise<Cores> => {
    const started = startCores();
    undo.push(started.stop);
    return started;
  });
  const hello = once(async (): Promise<Target> => {
    const server = program<object, { port: number }>('hello');
    const { port } = await server.run({});
    return { pid: server.pid, port, host: `127.0.0.1:${port}` };
  });

  /** Starts a load program; its result throws where an answer was no 200. */
  function loader() {
    const load = program<LoadTask, LoadResult>('load');
    return async (target: Target, task: Omit<LoadTask, 'port' | 'host'>): Promise<LoadResult> => {
      const result = await load.run({ ...task, port: target.port, host: target.host });
      const failed = Object.entries(result.failures);
      if (failed.length > 0)
        throw new Error(`${failed.map(([status, count]) => `${count} × ${status}`).join(', ')} of ${result.answered}.`);
      return result;
    };
  }
  const load = once(async () => loader());

  /** CPU a request in signatures, and requests a second: medians over the rounds. */
  async function measureRequests(target: Target, requestsOf: () => LoadRequest[]): Promise<Cost> {
    const send = await load();
    let requests = requestsOf();
    const round = async (seconds: number) => {
      const result = await send(target, { requests, seconds });
      // Each connection goes on with the refresh token that it got last.
      requests = requests.map((request, index) => {
        const refreshToken = result.refreshTokens[index];
        return refreshToken === undefined ? request : { ...request, refreshToken };
      });
      return result;
    };
    // Until the compiler has seen enough: a server that runs for weeks is warm.
    const warmUpEnds = performance.now() + settings.warmUpSeconds * 1000;
    for (let warm = 0; warm < WARM_UP_REQUESTS && performance.now() < warmUpEnds; ) warm += (await round(1)).answered;
    const rounds: Cost[] = [];
    for (let count = 0; count < settings.rounds; count++) {
      const before = signatureCpuSeconds();
      const began = cpuSecondsOf(target.pid);
      const { answered, seconds } = await round(settings.seconds);
      const cpu = (cpuSecondsOf(target.pid) - began) / answered;
      const signature = (before + signatureCpuSeconds()) / 2;
      rounds.push({ signatures: cpu / signature, cpu, signature, perSecond: answered / seconds });
    }
    const middle = (name: keyof Cost) => median(rounds.map((cost) => cost[name]));
    return {
      signatures: middle('signatures'),
      cpu: middle('cpu'),
      signature: middle('signature'),
      perSecond: middle('perSecond'),
    };
  }

  return {
    settings,
    subject,
    cores,
    hello,
    load,
    loader,
    program,
    measureRequests,
    async stop(): Promise<void> {
      for (const step of undo.reverse().splice(0)) await step();
    },
  };
}

export interface Cost {
  /** CPU of the whole process tree a request, in RSA-2048 signatures. */
  readonly signatures: number;
  /** The same in seconds. */
  readonly cpu: number;
  readonly signature: number;
  readonly perSecond: number;
}

export function targetOf({ server, firstRun }: Subject): Target {
  return { pid: server.pid, port: server.port, host: new URL(firstRun.http_origin).host };
}

/** The columns of a row that counts CPU. */
export function cpuFigure(work: string, cost: Cost, limit?: number): Figure {
  return {
    work,
    ours: `${milliseconds(cost.cpu)} CPU`,
    yardstick: `RSA-2048 signature ${milliseconds(cost.signature)} CPU`,
    measured: cost.signatures,
    unit: 'signatures',
    ...(limit !== undefined && { goal: { is: 'at most', limit } as const }),
  };
}

export function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(2)} ms`;
}
