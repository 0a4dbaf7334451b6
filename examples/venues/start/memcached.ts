import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Processes, RunningProcess } from './processes.ts';

export interface Memcached {
  readonly process: RunningProcess;
  /** Whether there is such an entry, and the seconds that it has left. */
  secondsLeftOf(key: string): Promise<number | undefined>;
  /** Every key with its value, as bytes on the wire. */
  dump(): Promise<string>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** A new process without entries, at the same address. */
  restart(): Promise<void>;
}

export const NO_MEMCACHED = `There is no memcached in the PATH. It keeps what the services know of tokens; install it first:
  Debian, Ubuntu   sudo apt-get install memcached
  Fedora           sudo dnf install memcached
  macOS            brew install memcached
It needs no configuration: the demo starts one of its own.`;

/** The last line of an answer: of metadump, get, version, and of the meta protocol. */
const ANSWER_END = /(^|\n)(END|EN|HD|OK|VERSION .*|[A-Z_]*ERROR.*)( [^\r\n]*)?\r\n$/;

export function findMemcached(): string {
  const file = (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, 'memcached'))
    .find((path) => existsSync(path));
  if (file === undefined) throw new Error(NO_MEMCACHED);
  return file;
}

/** In production it stands in a private network: it asks nobody who they are. */
export async function startMemcached(
  processes: Processes,
  { file, host, port }: { readonly file: string; readonly host: string; readonly port: number },
): Promise<Memcached> {
  // It refuses to be root without being told so.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const launch = () =>
    processes.start({
      name: 'memcached',
      file,
      args: [...user, '-l', host, '-p', String(port), '-U', '0', '-t', '1', '-m', '16'],
      ready: async () =>
        ask('version').then(
          (answer) => answer.startsWith('VERSION'),
          () => false,
        ),
    });
  let child = await launch();

  async function ask(command: string): Promise<string> {
    const socket = connect(port, host);
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

  return {
    get process() {
      return child;
    },
    async secondsLeftOf(key) {
      const left = /^HD t(-?\d+)/.exec(await ask(`mg ${key} t`))?.[1];
      return left === undefined ? undefined : Number(left);
    },
    async dump() {
      const listed = await ask('lru_crawler metadump all');
      const keys = [...listed.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key));
      const values: string[] = [];
      for (const key of keys) values.push(await ask(`get ${key}`));
      return values.join('');
    },
    kill: () => child.stop('SIGKILL'),
    async restart() {
      await child.stop('SIGKILL');
      child = await launch();
    },
  };
}
