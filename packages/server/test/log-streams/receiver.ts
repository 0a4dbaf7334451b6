import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked. */
  readonly body: string;
}

/** How a receiver answers: with a status, or badly. */
export type Behaviour =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Takes the request and says nothing. */
  | 'hang'
  /** Takes the connection away before it answers. */
  | 'close'
  /** 200, and the connection is gone in the middle of the body. */
  | 'tear'
  /** 200, and a byte of the body each second. */
  | 'drip'
  /** 200, with 100 MB behind it. */
  | 'flood';

export interface Receiver {
  readonly origin: string;
  readonly port: number;
  /** In the order in which they came. */
  readonly requests: ReceivedRequest[];
  /** Requests that are open now, and the most that were at once. */
  readonly open: () => number;
  readonly mostOpen: () => number;
  /** Bytes of flooded bodies that the other side took. */
  readonly bytesFlooded: () => number;
  /** From now on; a function decides for each request. */
  behave(how: Behaviour | ((request: ReceivedRequest) => Behaviour | Promise<Behaviour>)): void;
  close(): Promise<void>;
}

const FLOOD_BYTES = 100_000_000;

/** A server on loopback that keeps what it is sent, and misbehaves on command. With a certificate it speaks https. */
export async function startReceiver(tls?: { readonly cert: string; readonly key: string }): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let decide: (request: ReceivedRequest) => Behaviour | Promise<Behaviour> = () => ({ status: 200 });
  let open = 0;
  let mostOpen = 0;
  let flooded = 0;

  async function take(message: IncomingMessage, response: ServerResponse): Promise<void> {
    open++;
    mostOpen = Math.max(mostOpen, open);
    response.once('close', () => {
      open--;
    });
    const packed = Buffer.concat(await message.toArray());
    const body = message.headers['content-encoding'] === 'gzip' ? gunzipSync(packed) : packed;
    const { method = '', url: path = '', headers } = message;
    const request = { method, path, headers, body: body.toString() };
    requests.push(request);
    answer(response, await decide(request));
  }

  function answer(response: ServerResponse, how: Behaviour): void {
    if (how === 'hang') return;
    if (how === 'close') return void response.socket?.destroy();
    if (typeof how === 'object') return void response.writeHead(how.status, how.headers).end(how.body);
    if (how === 'flood') return void flood(response);
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x', () => {
      if (how === 'tear') response.socket?.destroy();
    });
    if (how === 'drip') {
      const timer = setInterval(() => response.write('x'), 1_000);
      timers.add(timer);
      response.once('close', () => clearInterval(timer));
    }
  }

  function flood(response: ServerResponse): void {
    const chunk = Buffer.alloc(65_536, 'x');
    let sent = 0;
    const more = () => {
      while (sent < FLOOD_BYTES && !response.destroyed) {
        sent += chunk.length;
        flooded += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  }

  const listener = (message: IncomingMessage, response: ServerResponse) => {
    take(message, response).catch(() => response.destroy());
  };
  const server = tls ? createHttpsServer(tls, listener) : createServer(listener);
  const port = await listening(server);
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    open: () => open,
    mostOpen: () => mostOpen,
    bytesFlooded: () => flooded,
    behave(how) {
      decide = typeof how === 'function' ? how : () => how;
    },
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearInterval(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
