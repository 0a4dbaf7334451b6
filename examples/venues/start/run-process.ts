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
  readonly file?: string;
  readonly args: readonly string[];
  /** Nothing else is passed on, but for PATH and HOME: what a service knows is seen here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** It is ready when it has printed this, or when this says so. */
  readonly ready: string | (() => Promise<boolean>);
}

/** Seconds on a quiet machine. */
const START_MILLISECONDS = 170_000;
const STOP_MILLISECONDS = 12_000;
const running = new Set<ChildProcess>();
// Where we end before we could wait for them: Gatewright then stops its PostgreSQL by itself.
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** Starts a program, a file for this Node unless said otherwise, and waits until it is ready. */
export async function runProcess({ name, file, args, env, cwd, ready }: Program): Promise<RunningProcess> {
  const child = spawn(file ?? process.execPath, args, {
    env: { ...passedOn(), ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      printed += `${error.message}\n`;
      resolve();
    });
    child.once('close', () => resolve());
  }).then(() => {
    hasEnded = true;
    running.delete(child);
  });
  const isReady = typeof ready === 'string' ? async () => printed.includes(ready) : ready;
  const deadline = Date.now() + START_MILLISECONDS;
  while (!(await isReady())) {
    if (hasEnded || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not start. It said:\n${printed}`);
    }
    await sleep(25);
  }
  return {
    name,
    pid: child.pid ?? 0,
    printed: () => printed,
    ended,
    async stop(signal = 'SIGTERM') {
      if (hasEnded) return;
      child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
      await ended;
      clearTimeout(force);
    },
  };
}

/** Runs a program to its end, and gives back what it printed. */
export async function runToEnd({
  file,
  args,
  env,
  cwd,
}: Pick<Program, 'file' | 'args' | 'env' | 'cwd'>): Promise<string> {
  const child = spawn(file ?? process.execPath, args, {
    env: { ...passedOn(), ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', all: '' };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed.all += text;
      if (stream === child.stdout) printed.out += text;
    });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${printed.all}`);
  return printed.out;
}

function passedOn(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
