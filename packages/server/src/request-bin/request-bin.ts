import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerPage, PAGE_PATH } from './bin-pages.ts';
import { createKeptRequests, type KeptRequest, MOST_BODY_BYTES, summaryOf } from './kept-requests.ts';
import { createLiveList } from './live-list.ts';

export interface BinOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly host: string;
  /** What requests are answered, or those of `failOn` alone. */
  readonly status: number;
  /** By their number, from 1. */
  readonly failOn: readonly number[];
  readonly delayMilliseconds: number;
  readonly onRequest: (request: KeptRequest) => void;
}

export interface RequestBin {
  readonly origin: string;
  stop(): Promise<void>;
}

/** Takes whatever is sent to it, answers as it was told to, and shows it: in a terminal and on a page. */
export async function startRequestBin({
  port,
  host,
  status,
  failOn,
  delayMilliseconds,
  onRequest,
}: BinOptions): Promise<RequestBin> {
  const kept = createKeptRequests();
  const live = createLiveList();
  let count = 0;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const number = ++count;
    const at = new Date().toISOString();
    const { text, bytes } = await readBody(request);
    if (delayMilliseconds > 0) await sleep(delayMilliseconds);
    const answered = failOn.length === 0 || failOn.includes(number) ? status : 200;
    const taken: KeptRequest = {
      number,
      at,
      method: request.method ?? '',
      path: request.url ?? '',
      headers: pairsOf(request.rawHeaders),
      body: text,
      bytes,
      isCut: bytes > MOST_BODY_BYTES,
      status: answered,
    };
    kept.add(taken);
    live.tell(summaryOf(taken));
    onRequest(taken);
    response.writeHead(answered, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(mayHaveBody(answered) ? `Request ${number}, answered ${answered}.\n` : undefined);
  }

  const server = createServer((request, response) => {
    if (isForPage(request)) answerPage(request, response, { kept, live });
    else take(request, response).catch(() => response.destroy());
  });
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host === '127.0.0.1' ? 'localhost' : host}:${taken}`,
    async stop() {
      live.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A browser that opens the address means the page; everything else is what somebody wants to see. */
function isForPage({ method, url = '', headers }: IncomingMessage): boolean {
  if (url === PAGE_PATH || url.startsWith(`${PAGE_PATH}/`)) return true;
  return method === 'GET' && url === '/' && (headers.accept ?? '').includes('text/html');
}

/** Read to its end, kept up to a bound. */
async function readBody(request: IncomingMessage): Promise<{ text: string; bytes: number }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const room = MOST_BODY_BYTES - bytes;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    bytes += chunk.length;
  }
  return { text: Buffer.concat(chunks).toString('utf8'), bytes };
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}

const mayHaveBody = (status: number) => status >= 200 && status !== 204 && status !== 304;
