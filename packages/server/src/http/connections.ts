import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  /** Closes what rests between two requests, and each other connection with the end of its request or of a short wait for it. */
  drain(): void;
  /** Ends what is left. */
  destroy(): void;
}

/** A client that has connected sends its first request without delay; ours to wait for, since it can't know that we close. */
const FIRST_REQUEST_MILLISECONDS = 2_000;

/** Asked for at each request of a connection. */
const keys = new WeakMap<Socket, string>();

/**
 * Knows which connections of a server are in the middle of a request. Node closes those that have not sent one yet with
 * those that are idle between two, and waits for those that hang in a TLS handshake until their time-outs.
 */
export function trackConnections(server: Server): Connections {
  // By address, since an https server shows the plain socket first and the encrypted one with its requests.
  const open = new Map<string, Socket>();
  const busy = new Map<string, ServerResponse>();
  /** Have sent no request yet, or a part of one: it may be on its way, and there is nobody else to answer it. */
  const fresh = new Set<string>();
  let isDraining = false;
  // As the server closes; drain() looks closer.
  server.closeIdleConnections = () => {};

  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    open.set(key, socket);
    fresh.add(key);
    socket.once('close', () => {
      open.delete(key);
      busy.delete(key);
      fresh.delete(key);
    });
  });

  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const key = keyOf(request.socket);
    busy.set(key, response);
    fresh.delete(key);
    if (isDraining) response.setHeader('connection', 'close');
    response.once('close', () => {
      if (busy.get(key) === response) busy.delete(key);
      if (isDraining) request.socket.destroySoon();
    });
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = busy.get(keyOf(socket));
    if (!socket.writable || response?.headersSent) return void socket.destroy();
    const status = STATUS_OF_FAULT[error.code ?? ''] ?? 400;
    socket.end(refusal(status), () => socket.destroy());
  });

  return {
    drain() {
      isDraining = true;
      for (const response of busy.values()) {
        if (!response.headersSent) response.setHeader('connection', 'close');
        // It has no end; its reader goes on elsewhere.
        else if (isEventStream(response)) response.destroy();
      }
      closeWhere((key) => !busy.has(key) && !fresh.has(key));
      if (fresh.size > 0) setTimeout(() => closeWhere((key) => fresh.has(key)), FIRST_REQUEST_MILLISECONDS).unref();
    },
    destroy: () => closeWhere(() => true),
  };

  function closeWhere(matches: (key: string) => boolean): void {
    for (const [key, socket] of open) if (matches(key)) socket.destroy();
  }
}

function isEventStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type')).startsWith('text/event-stream');
}

const STATUS_OF_FAULT: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What is no HTTP has no path either, so it gets the shape of the Management API, like everything unknown. */
function refusal(status: number): string {
  const error = STATUS_CODES[status] ?? 'Bad Request';
  const message = status === 400 ? 'The request could not be read: it is no valid HTTP.' : error;
  const body = JSON.stringify({ statusCode: status, error, message });
  return [
    `HTTP/1.1 ${status} ${error}`,
    'content-type: application/json; charset=utf-8',
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function keyOf(socket: Socket): string {
  const known = keys.get(socket);
  if (known !== undefined) return known;
  const key = `${socket.remoteAddress} ${socket.remotePort}`;
  keys.set(socket, key);
  return key;
}
