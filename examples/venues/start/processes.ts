import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** Standard output and error since its start. */
  printed(): string;
  /** Resolves once it has ended, whoever ended it. */
  readonly ended: Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

interface Program {
  readonly name: string;
  /** This Node unless said otherwise. */
  readonly file?: string;
  readonly args: readonly string[];
  /** Nothing else is passed on, but for PATH and the like: what a service knows is seen here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Processes {
  /** Starts a program and waits until it is ready: it has printed this, or this says so. */
  start(program: Program & { readonly ready: string | (() => Promise<boolean>) }): Promise<RunningProcess>;
  /** Runs a program to its end, and gives back what it printed to standard output. */
  run(program: Program): Promise<string>;
  /** Ends all, the last one first, also those that are not ready yet. Nothing starts afterwards. */
  stop(): Promise<void>;
}

/** Minutes, for a busy machine; it takes seconds. */
const START_MILLISECONDS = 170_000;
const STOP_MILLISECONDS = 12_000;

export function createProcesses(): Processes {
  const running = new Set<ReturnType<typeof launch>>();
  let isStopped = false;
  // Where this process ends before it could wait for them; Gatewright then stops its PostgreSQL by itself.
  process.on('exit', () => {
    for (const { child } of running) child.kill('SIGTERM');
  });

  function open(program: Program) {
    if (isStopped) throw new Error('Everything was stopped.');
    const launched = launch(program);
    running.add(launched);
    void launched.ended.then(() => running.delete(launched));
    return launched;
  }

  return {
    async start({ ready, ...program }) {
      const launched = open(program);
      const isReady = typeof ready === 'string' ? async () => launched.printed().includes(ready) : ready;
      const deadline = Date.now() + START_MILLISECONDS;
      while (!(await isReady())) {
        if (launched.hasEnded() || Date.now() > deadline) {
          await launched.stop('SIGKILL');
          throw new Error(`${program.name} did not start. It said:\n${launched.printed()}`);
        }
        await sleep(25);
      }
      return launched;
    },
    async run(program) {
      const launched = open(program);
      await launched.ended;
      if (launched.child.exitCode !== 0) throw new Error(`${program.name} failed. It said:\n${launched.printed()}`);
      return launched.printed('stdout');
    },
    async stop() {
      isStopped = true;
      // Who asks goes before who is asked.
      for (const launched of [...running].reverse()) await launched.stop();
    },
  };
}

function launch({ name, file = process.execPath, args, env, cwd }: Program) {
  const child: ChildProcess = spawn(file, args, {
    env: { ...passedOn(), ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { all: '', stdout: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      printed.all += text;
      if (stream === 'stdout') printed.stdout += text;
    });
  let hasEnded = false;
  const ended = once(child, 'close').then(
    () => {
      hasEnded = true;
    },
    (error: Error) => {
      hasEnded = true;
      printed.all += `${error.message}\n`;
    },
  );
  return {
    name,
    child,
    pid: child.pid ?? 0,
    printed: (which: keyof typeof printed = 'all') => printed[which],
    ended,
    hasEnded: () => hasEnded,
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      if (hasEnded) return;
      child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
      await ended;
      clearTimeout(force);
    },
  };
}

function passedOn(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
