import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { COMPILE_CACHE } from '../compile-cache.ts';
import { freePorts } from '../free-ports.ts';

export const COMMAND = fileURLToPath(new URL('../../bin/gatewright.mjs', import.meta.url));
const START_MILLISECONDS = 110_000;

/** The machine's own Node, where it is another one than ours: the command must find the right one by itself. */
export const otherNode: string | undefined = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => folder !== '' && !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((node) => existsSync(node) && majorOf(node) < 26);

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Another copy of bin/gatewright.mjs, or another program. */
  readonly command?: string;
  /** In a process group of its own, as a shell runs it: `process.kill(-pid, …)` is then a terminal's Ctrl+C. */
  readonly detached?: boolean;
}

export interface RunningCommand {
  readonly pid: number;
  /** Standard output and error. */
  printed(): string;
  /** Resolves once it has printed the text; fails where it ends before. */
  says(text: string): Promise<void>;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Ended>;
  /** Waits for the end. */
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the signal, or from the start, to the end. */
  readonly milliseconds: number;
}

/** Runs `gatewright …` without waiting; a test that fails does not leave it behind. */
export function run(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { env = {}, node = process.execPath, cwd = tmpdir(), uid, gid, command = COMMAND, detached = false } = options;
  let began = performance.now();
  const child: ChildProcess = spawn(node, [command, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ code, signal, milliseconds: performance.now() - began }),
  );
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    ended,
    async says(text) {
      const deadline = Date.now() + START_MILLISECONDS;
      while (!printed.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
          throw new Error(`It never said '${text}', but:\n${printed}`);
        await sleep(20);
      }
    },
    async end(signal = 'SIGTERM') {
      began = performance.now();
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs `gatewright …` to its end. */
export async function runToEnd(args: readonly string[], options?: CommandOptions) {
  const command = run(args, options);
  const { code } = await command.ended;
  return { code, printed: command.printed() };
}

/** A data folder that does not exist yet, and ports: what a server of a test needs. */
export async function place() {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'gatewright-operations-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const [http, https] = await freePorts();
  return { folder, dataDir, http, https, env: environment(dataDir, http, https) };
}

export function environment(dataDir: string, http: number, https: number): Record<string, string> {
  return { GATEWRIGHT_DATA_DIR: dataDir, PORT: String(http), HTTPS_PORT: String(https) };
}

function majorOf(node: string): number {
  return Number(execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1).split('.')[0]);
}
