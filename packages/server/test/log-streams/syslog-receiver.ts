import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { listening } from './receiver.ts';

export type SyslogBehaviour =
  /** Reads to the end, then closes. */
  | 'read'
  /** Takes the connection and never reads. */
  | 'hang'
  /** Reads, and never closes. */
  | 'keep-open'
  /** Takes the connection away at once. */
  | 'close'
  /** Reads the beginning, then the connection breaks. */
  | 'break'
  /** Answers without end. */
  | 'flood';

export interface SyslogReceiver {
  readonly port: number;
  /** The messages of RFC 6587's frames, in the order in which they came. */
  readonly messages: () => string[];
  /** Connections that came. */
  readonly connections: () => number;
  behave(how: SyslogBehaviour): void;
  close(): Promise<void>;
}

/** A syslog receiver on loopback, over TCP or, with a certificate, over TLS. */
export async function startSyslogReceiver(tls?: {
  readonly cert: string;
  readonly key: string;
}): Promise<SyslogReceiver> {
  const sockets = new Set<Socket>();
  const received: Buffer[] = [];
  let how: SyslogBehaviour = 'read';
  let connections = 0;

  function take(socket: Socket): void {
    connections++;
    socket.on('error', () => undefined);
    if (how === 'hang') return void socket.pause();
    if (how === 'close') return void socket.destroy();
    if (how === 'break') return void socket.once('data', () => (tls ? socket.destroy() : socket.resetAndDestroy()));
    if (how === 'flood') flood(socket);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.once('end', () => {
      received.push(Buffer.concat(chunks));
      if (how === 'read') socket.end();
    });
  }

  const options = { allowHalfOpen: true };
  const server = tls ? createTlsServer({ ...options, ...tls }, take) : createServer(options, take);
  server.on('tlsClientError', () => undefined);
  // Also those that never get so far as to speak TLS.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  const port = await listening(server);
  return {
    port,
    messages: () => received.flatMap(framesOf),
    connections: () => connections,
    behave(behaviour) {
      how = behaviour;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function flood(socket: Socket): void {
  const chunk = Buffer.alloc(65_536, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
    if (!socket.destroyed) socket.once('drain', more);
  };
  more();
}

/** `length SP message`, one behind the other; anything else is an error. */
function framesOf(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = /^(\d{1,7}) /.exec(bytes.toString('latin1', at, at + 8));
    if (head === null) throw new Error(`No frame at byte ${at}.`);
    const [{ length }, count = ''] = head;
    const end = at + length + Number(count);
    if (end > bytes.length) throw new Error('The last frame is cut.');
    messages.push(bytes.toString('utf8', at + length, end));
    at = end;
  }
  return messages;
}
