import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWhere } from '../../server/test/describe-where.ts';

const MISSING = 'there is no memcached on this machine (apt-get install memcached)';

const memcachedPath = ['/usr/bin/memcached', '/usr/local/bin/memcached', '/opt/homebrew/bin/memcached'].find((path) =>
  existsSync(path),
);

/** Linux ends a process with the one that started it, where it is asked to: a worker of a run that is killed leaves none behind. */
const setprivPath = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
const FOLDER = /^gw-mc-(\d+)-/;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const ANSWER_END = /(^|\n)(END|OK|VERSION .*|[A-Z_]*ERROR.*)\r\n$/;

export interface Memcached {
  /** For `createMemcachedCache({ servers: [address] })`. */
  readonly address: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** It keeps its connections and answers nothing (SIGSTOP). */
  pause(): Promise<void>;
  resume(): void;
  /** A new process without entries, at the same address. */
  restart(): Promise<void>;
  /** All that it holds, as bytes on the wire: every key with its value. */
  dump(): Promise<string>;
  /** The answer to a command of its text protocol, such as `stats`. */
  ask(command: string): Promise<string>;
  stop(): Promise<void>;
}

/** `describe` for tests with a real memcached. Without one the run says what it left out, and with CI=true it fails. */
export function describeWithMemcached(title: string, define: () => void): void {
  describeWhere(memcachedPath === undefined ? MISSING : undefined, title, define);
}

/** On a unix socket of its own, so that no port is searched for and a restart finds its address free. */
export async function startMemcached(options: readonly string[] = []): Promise<Memcached> {
  await removeDeadFolders();
  const folder = await mkdtemp(join(tmpdir(), `gw-mc-${process.pid}-`));
  const address = join(folder, 's');
  let child = await launch(address, options);

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return {
    address,
    kill,
    async pause() {
      child.kill('SIGSTOP');
      while (await isRunning(child.pid)) await sleep(5);
    },
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill();
      child = await launch(address, options);
    },
    ask: (command) => ask(address, command),
    async dump() {
      const listed = await ask(address, 'lru_crawler metadump all');
      const keys = [...listed.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key));
      const values = await Promise.all(keys.map((key) => ask(address, `get ${key}`)));
      return values.join('');
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(address: string, options: readonly string[]): Promise<ChildProcess> {
  const [command, ...args] = memcachedCommand(address, options);
  const child = spawn(command, args, { stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  while (!(await answers(address))) {
    if (child.exitCode !== null) throw new Error(`memcached ended with ${child.exitCode}.`);
    await sleep(10);
  }
  return child;
}

/** What starts a memcached that ends with the process that started it, however that ends. */
export function memcachedCommand(
  address: string,
  options: readonly string[] = [],
): [command: string, ...args: string[]] {
  if (memcachedPath === undefined) throw new Error(`memcached can't be started: ${MISSING}.`);
  // It refuses to be root without being told so; another user could not enter the folder of the socket.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const memcached = [...user, '-s', address, '-t', '1', ...options];
  return setprivPath === undefined
    ? [memcachedPath, ...memcached]
    : [setprivPath, '--pdeathsig', 'KILL', memcachedPath, ...memcached];
}

/** Of runs that were killed. */
async function removeDeadFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Where a machine is busy, a thread that was not told to stop yet may answer some more. */
async function isRunning(pid: number | undefined): Promise<boolean> {
  const threads = `/proc/${pid}/task`;
  if (!existsSync(threads)) {
    await sleep(100);
    return false;
  }
  const states = (await readdir(threads)).map((thread) => readFile(join(threads, thread, 'status'), 'utf8'));
  return (await Promise.all(states)).some((status) => !/^State:\s+T/m.test(status));
}

export async function answers(address: string): Promise<boolean> {
  try {
    return (await ask(address, 'version')).startsWith('VERSION');
  } catch {
    return false;
  }
}

async function ask(address: string, command: string): Promise<string> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    socket.setEncoding('latin1').write(`${command}\r\n`);
    let answer = '';
    for await (const text of socket) {
      answer += text;
      if (ANSWER_END.test(answer)) break;
    }
    return answer;
  } finally {
    socket.destroy();
  }
}
