import type { Socket } from 'node:net';
import { openTunnel, WINDOW_BYTES } from './tunnel.ts';

/** What a line carries, before base64. */
const PIECE_BYTES = 48 * 1024;

/**
 * Makes a `net.Socket` that is not connected yet one whose bytes go through the server. The object stays what libraries
 * made it; what would reach the network is replaced.
 */
export function connectThroughTunnel<S extends Socket>(socket: S, host: string, port: number | string): S {
  let unacknowledged = 0;
  let proceed: (() => void) | undefined;
  let isOpen = false;

  const tunnel = openTunnel(host, port, {
    onOpened() {
      isOpen = true;
      Reflect.set(socket, 'connecting', false);
      flush();
      socket.emit('connect');
      socket.emit('ready');
    },
    onData(bytes) {
      socket.push(bytes);
      tunnel.acknowledge(bytes.length);
    },
    onEnd: () => void socket.push(null),
    onAck(bytes) {
      unacknowledged -= bytes;
      flush();
    },
    onClosed(error) {
      if (error === undefined) socket.destroy();
      else
        socket.destroy(
          Object.assign(new Error(`connect ECONNREFUSED ${host}:${port}: ${error}`), { code: 'ECONNREFUSED' }),
        );
    },
  });

  function flush(): void {
    if (!isOpen || unacknowledged >= WINDOW_BYTES - PIECE_BYTES) return;
    const next = proceed;
    proceed = undefined;
    next?.();
  }

  function write(bytes: Buffer, done: () => void): void {
    const piece = bytes.subarray(0, PIECE_BYTES);
    proceed = () => {
      unacknowledged += piece.length;
      if (piece.length > 0) tunnel.write(piece);
      if (piece.length === bytes.length) done();
      else write(bytes.subarray(PIECE_BYTES), done);
    };
    flush();
  }

  const destroyUnconnected: unknown = Reflect.get(socket, '_destroy');
  return override(socket, {
    connecting: true,
    remoteAddress: host,
    remotePort: Number(port),
    _read: () => undefined,
    _writev: null,
    _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
      write(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk, done);
    },
    _final(done: () => void): void {
      tunnel.end();
      done();
    },
    // Its own also emits 'close': agents keep what never closed, with all that hangs on it.
    _destroy(...items: unknown[]): void {
      tunnel.close();
      Reflect.apply(destroyUnconnected as (...all: unknown[]) => unknown, socket, items);
    },
    setNoDelay: () => socket,
    setKeepAlive: () => socket,
    ref: () => socket,
    unref: () => socket,
  });
}

/** Some of these are getters of the class. */
function override<S extends object>(target: S, members: Readonly<Record<string, unknown>>): S {
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(target, name, { value, writable: true, configurable: true });
  return target;
}
