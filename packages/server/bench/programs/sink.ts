// A receiver of log streams. Paths say how it behaves: /failing answers 500, /hanging never, all others 200.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SinkTask {
  readonly forget?: boolean;
  /** Looks into bodies: which events came, and how old they were. */
  readonly looksInside?: boolean;
  /** What all paths answer from now on. */
  readonly status?: number;
}

export interface SinkReport {
  readonly port: number;
  readonly requests: number;
  /** Of those that were answered with 200. */
  readonly events: number;
  readonly eventsOfPath: Readonly<Record<string, number>>;
  /** Between the first and the last of them. */
  readonly seconds: number;
  /** Where it looks inside: how many different ones, and milliseconds from the event to its arrival. */
  readonly distinct: number;
  readonly delays: readonly number[];
}

/** What a log stream writes around each record. */
const UNIT = /"log_id":"(\d{56})","data":\{"date":"([^"]{24})"/g;
const MOST_DELAYS = 200_000;

let status = 200;
let looksInside = false;
let requests = 0;
let eventsOfPath: Record<string, number> = {};
let [firstAt, lastAt] = [0, 0];
const ids = new Set<string>();
let delays: number[] = [];

const server = createServer((request, response) => {
  const path = request.url ?? '/';
  requests++;
  take(request, path).then((answer) => {
    if (path !== '/hanging') response.writeHead(answer).end();
  });
});
server.keepAliveTimeout = 60_000;

async function take(request: IncomingMessage, path: string): Promise<number> {
  const chunks: Buffer[] = looksInside ? await request.toArray() : await drain(request);
  const answer = path === '/failing' ? 500 : status;
  if (answer !== 200 || path === '/hanging') return answer;
  const time = performance.now();
  firstAt ||= time;
  lastAt = time;
  // Standard Webhooks: the first event's id, and how many there are.
  const count = Number(String(request.headers['webhook-id']).split('-')[1] ?? 1);
  eventsOfPath[path] = (eventsOfPath[path] ?? 0) + count;
  if (looksInside) look(Buffer.concat(chunks).toString());
  return answer;
}

async function drain(request: IncomingMessage): Promise<Buffer[]> {
  for await (const _ of request);
  return [];
}

function look(body: string): void {
  const now = Date.now();
  for (const [, id = '', date = ''] of body.matchAll(UNIT)) {
    ids.add(id);
    if (delays.length < MOST_DELAYS) delays.push(now - Date.parse(date));
  }
}

function forget(): void {
  [requests, firstAt, lastAt] = [0, 0, 0];
  [eventsOfPath, delays] = [{}, []];
  ids.clear();
}

server.listen(0, '127.0.0.1');
process.on('message', (task: SinkTask) => {
  if (task.forget) forget();
  looksInside = task.looksInside ?? looksInside;
  status = task.status ?? status;
  const report: SinkReport = {
    port: (server.address() as AddressInfo).port,
    requests,
    events: Object.values(eventsOfPath).reduce((sum, count) => sum + count, 0),
    eventsOfPath,
    seconds: (lastAt - firstAt) / 1_000,
    distinct: ids.size,
    // Large: only for who waits for it.
    delays: task.forget === undefined ? [] : delays,
  };
  process.send?.(report);
});
