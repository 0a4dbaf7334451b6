import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './calls.ts';

/** The worker processes of a server, from /proc. */
export function workersOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid && commandOf(candidate).includes('/src/worker.ts'))
    .sort((one, other) => one - other);
}

/** One kept-alive connection to a worker of one's choice. */
export interface WorkerConnection {
  readonly worker: number;
  ask(path: string, options?: Asked): Promise<Answer>;
  close(): void;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** Connects, many at a time since whoever is free accepts, until each of these workers has a connection. */
export async function connectToEach(origin: string, workers: readonly number[]): Promise<WorkerConnection[]> {
  const found = new Map<number, WorkerConnection>();
  for (let attempt = 0; found.size < workers.length; attempt++) {
    if (attempt > 50) throw new Error(`Only ${[...found.keys()]} of ${workers} answer.`);
    for (const connection of await Promise.all(Array.from({ length: 16 }, () => connect(origin, workers)))) {
      if (connection && !found.has(connection.worker)) found.set(connection.worker, connection);
      else connection?.close();
    }
  }
  return workers.flatMap((worker) => found.get(worker) ?? []);
}

async function connect(origin: string, workers: readonly number[]): Promise<WorkerConnection | undefined> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { host, port } = new URL(origin);
  let socket: Socket | undefined;

  function ask(path: string, { method, headers, form, json }: Asked = {}): Promise<Answer> {
    const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          path,
          agent,
          method: method ?? (body === undefined ? 'GET' : 'POST'),
          headers: { host, ...(body !== undefined && { 'content-type': type }), ...headers },
        },
        (incoming) => {
          incoming.toArray().then((chunks) => {
            const text = Buffer.concat(chunks).toString();
            const isJson = incoming.headers['content-type']?.startsWith('application/json');
            resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : { text } });
          }, reject);
        },
      );
      outgoing.on('socket', (used) => {
        if (socket && socket !== used) reject(new Error('The connection was replaced by another one.'));
        socket = used;
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  await ask('/health/live');
  const worker = workers.find((pid) => holds(pid, inodeOf(Number(port), socket?.localPort ?? 0)));
  if (worker !== undefined) return { worker, ask, close: () => agent.destroy() };
  agent.destroy();
  return undefined;
}

/** The inode of the server's end of a connection; see proc_net_tcp(5). */
function inodeOf(serverPort: number, clientPort: number): string | undefined {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  for (const row of rows) {
    const [, local = '', remote = '', , , , , , , inode] = row.trim().split(/\s+/);
    if (local.endsWith(`:${hex(serverPort)}`) && remote.endsWith(`:${hex(clientPort)}`)) return inode;
  }
  return undefined;
}

function holds(pid: number, inode: string | undefined): boolean {
  if (inode === undefined) return false;
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
