// Sends requests over a fixed number of connections and answers with what came back. A client of its own on bare sockets:
// it shares the cores with the server that it loads, so it must cost little.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `{refresh_token}` in it stands for the one that the answer before brought, at first `refreshToken`. */
  readonly body?: string;
  readonly refreshToken?: string;
}

export interface LoadTask {
  readonly port: number;
  readonly host: string;
  /** One connection each; it sends its own request again and again, one at a time. */
  readonly requests: readonly LoadRequest[];
  /** No new request after this time, … */
  readonly seconds?: number;
  /** … or after so many on each connection. */
  readonly each?: number;
  /** Between an answer and the next request. */
  readonly pauseMilliseconds?: number;
}

export interface LoadResult {
  readonly answered: number;
  readonly seconds: number;
  /** By status; everything but 200 is a failure. */
  readonly failures: Readonly<Record<string, number>>;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** In the order of the connections: what the next task goes on with. */
  readonly refreshTokens: readonly (string | undefined)[];
}

process.on('message', async (task: LoadTask) => process.send?.(await run(task)));

async function run(task: LoadTask): Promise<LoadResult> {
  const connections = await Promise.all(task.requests.map(() => open(task.port)));
  const failures: Record<string, number> = {};
  const milliseconds: number[] = [];
  const began = performance.now();
  const end = task.seconds === undefined ? Number.POSITIVE_INFINITY : began + task.seconds * 1000;

  const refreshTokens = await Promise.all(
    connections.map(async (exchange, index) => {
      const request = task.requests[index];
      let refreshToken = request?.refreshToken;
      const constant = request && refreshToken === undefined ? encode(task.host, request) : undefined;
      // Not all at the same moment, again and again.
      if (task.pauseMilliseconds) await sleep((task.pauseMilliseconds * index) / connections.length);
      for (let sent = 0; request && sent < (task.each ?? Number.POSITIVE_INFINITY); sent++) {
        const before = performance.now();
        if (before >= end) break;
        const { status, body } = await exchange(constant ?? encode(task.host, request, refreshToken));
        milliseconds.push(performance.now() - before);
        if (status !== '200') failures[status] = (failures[status] ?? 0) + 1;
        else if (refreshToken !== undefined) refreshToken = String(JSON.parse(body.toString()).refresh_token);
        if (task.pauseMilliseconds) await sleep(task.pauseMilliseconds);
      }
      return refreshToken;
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const exchange of connections) exchange.close();
  milliseconds.sort((a, b) => a - b);
  const percentile = (part: number) => milliseconds[Math.floor(milliseconds.length * part)] ?? Number.NaN;
  return {
    answered: milliseconds.length,
    seconds,
    failures,
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99: percentile(0.99),
    refreshTokens,
  };
}

function encode(host: string, request: LoadRequest, refreshToken = ''): Buffer {
  const body = request.body?.replace('{refresh_token}', refreshToken);
  const headers = {
    host,
    ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    ...request.headers,
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\n${head.join('')}\r\n${body ?? ''}`);
}

interface Answer {
  readonly status: string;
  readonly body: Buffer;
}

interface Connection {
  (request: Buffer): Promise<Answer>;
  close(): void;
}

async function open(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let received: Buffer = Buffer.alloc(0);
  let settle: { resolve(answer: Answer): void; reject(reason: Error): void } | undefined;

  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = parse(received);
    if (answer === undefined) return;
    received = Buffer.alloc(0);
    settle?.resolve(answer);
  });
  for (const event of ['error', 'close'])
    socket.on(event, () => settle?.reject(new Error('The server closed a connection.')));

  const exchange = (request: Buffer) =>
    new Promise<Answer>((resolve, reject) => {
      settle = { resolve, reject };
      socket.write(request);
    });
  return Object.assign(exchange, { close: () => void socket.destroy() });
}

/** Answers with a content-length, as all that are measured here have; undefined while some of it is missing. */
function parse(received: Buffer): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = received.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
  if (Number.isNaN(length)) throw new Error(`An answer without a content-length: ${head}`);
  if (received.length < end + 4 + length) return undefined;
  return { status: head.slice(9, 12), body: received.subarray(end + 4, end + 4 + length) };
}
