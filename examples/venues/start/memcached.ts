import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { type RunningProcess, runProcess } from './run-process.ts';

export interface Memcached {
  /** As services are told it. */
  readonly address: string;
  readonly pid: number;
  /** Whether there is such an entry, and the seconds that it has left. */
  secondsLeftOf(key: string): Promise<number | undefined>;
  /** All that it holds, as bytes on the wire: every key with its value. */
  dump(): Promise<string>;
  version(): Promise<string>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** A new process without entries, at the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const PLACES = ['/usr/bin/memcached', '/usr/local/bin/memcached', '/opt/homebrew/bin/memcached'];
/** The last line of an answer: of metadump, stats, version, and of the meta protocol. */
const ANSWER_END = /(^|\n)(END|EN|HD|OK|VERSION .*|[A-Z_]*ERROR.*)( [^\r\n]*)?\r\n$/;

/** On loopback. In production it stands in a private network: it asks nobody who they are. */
export async function startMemcached(port: number): Promise<Memcached> {
  const file = PLACES.find((path) => existsSync(path));
  if (file === undefined) throw new Error('There is no memcached on this machine (apt-get install memcached).');
  // It refuses to be root without being told so.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const launch = (): Promise<RunningProcess> =>
    runProcess({
      name: 'memcached',
      file,
      args: [...user, '-l', '127.0.0.1', '-p', String(port), '-U', '0', '-t', '1', '-m', '16'],
      ready: async () =>
        ask('version').then(
          (answer) => answer.startsWith('VERSION'),
          () => false,
        ),
    });
  let child = await launch();

  async function ask(command: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
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
    address: `127.0.0.1:${port}`,
    get pid() {
      return child.pid;
    },
    async secondsLeftOf(key) {
      const left = /^HD t(-?\d+)/.exec(await ask(`mg ${key} t`))?.[1];
      return left === undefined ? undefined : Number(left);
    },
    async dump() {
      const listed = await ask('lru_crawler metadump all');
      const keys = [...listed.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key));
      const values = await Promise.all(keys.map((key) => ask(`get ${key}`)));
      return values.join('');
    },
    version: async () => (await ask('version')).trim(),
    kill: () => child.stop('SIGKILL'),
    async restart() {
      await child.stop('SIGKILL');
      child = await launch();
    },
    stop: () => child.stop('SIGKILL'),
  };
}
