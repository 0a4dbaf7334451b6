import type { Duplex } from 'node:stream';
import { Breach } from './breach.ts';
import type { ContainerLimits } from './limits.ts';
import type { ConnectionMessage, FromContainer } from './protocol.ts';
import type { RunningJob } from './running-job.ts';

/** Connects a job to `host:port`; rejects with an error whose message its code may read. */
export type Connect = (running: RunningJob, target: string) => Promise<Duplex>;

interface Needs {
  readonly limits: ContainerLimits;
  readonly connect: Connect;
  readonly send: (message: ConnectionMessage) => void;
  readonly findJob: (id: string) => RunningJob | undefined;
}

interface Connection {
  stream: Duplex | undefined;
  /** Bytes that we sent and the container has not acknowledged. */
  unacknowledged: number;
  /** Bytes that came from the container and wait for the stream. */
  waiting: number;
  readonly early: Buffer[];
}

/** Sent at once; the base64 of it fits a line by far. */
const PIECE_BYTES = 48 * 1024;
/** Lines about connections that are gone: a few cross on the way. */
const MOST_STRAYS = 2_000;

/** The connections that the code of one container has through its stdin and stdout, each with a window in both directions. */
export function createTunnelConnections({ limits, connect, send, findJob }: Needs) {
  const connections = new Map<string, Connection>();
  let strays = 0;

  function open({ id, run, target }: Extract<FromContainer, { type: 'open' }>): void {
    if (connections.has(id)) throw new Breach('protocol', 'it opened a connection twice');
    const running = findJob(run);
    const isFull = connections.size >= limits.connections;
    if (!running || isFull) {
      const error = isFull ? 'Too many connections are open.' : 'The execution that wants to connect is over.';
      send({ type: 'closed', id, error });
      return;
    }
    const connection: Connection = { stream: undefined, unacknowledged: 0, waiting: 0, early: [] };
    connections.set(id, connection);
    connect(running, target).then(
      (stream) => attach(id, connection, stream),
      (cause: Error) => close(id, cause.message),
    );
  }

  function attach(id: string, connection: Connection, stream: Duplex): void {
    if (connections.get(id) !== connection) {
      stream.destroy();
      return;
    }
    connection.stream = stream;
    stream.on('error', (error) => close(id, error.message));
    stream.on('close', () => close(id));
    stream.on('end', () => send({ type: 'end', id }));
    stream.on('data', (bytes: Buffer) => {
      for (let start = 0; start < bytes.length; start += PIECE_BYTES)
        send({ type: 'data', id, bytes: bytes.toString('base64', start, start + PIECE_BYTES) });
      connection.unacknowledged += bytes.length;
      if (connection.unacknowledged >= limits.windowBytes) stream.pause();
    });
    send({ type: 'opened', id });
    for (const bytes of connection.early.splice(0)) pass(id, connection, stream, bytes);
  }

  function pass(id: string, connection: Connection, stream: Duplex, bytes: Buffer): void {
    stream.write(bytes, () => {
      connection.waiting -= bytes.length;
      if (connections.get(id) === connection) send({ type: 'ack', id, bytes: bytes.length });
    });
  }

  function receive(message: ConnectionMessage): void {
    const { id } = message;
    const connection = connections.get(id);
    if (!connection) {
      if (++strays > MOST_STRAYS) throw new Breach('protocol', 'it spoke of connections that are not there');
      return;
    }
    const { stream } = connection;
    if (message.type === 'data') {
      const bytes = Buffer.from(message.bytes, 'base64');
      connection.waiting += bytes.length;
      if (bytes.length === 0 || connection.waiting > limits.windowBytes)
        throw new Breach('protocol', 'it sent more than a window of data');
      if (stream) pass(id, connection, stream, bytes);
      else connection.early.push(bytes);
    } else if (message.type === 'ack') {
      if (message.bytes <= 0 || message.bytes > connection.unacknowledged)
        throw new Breach('protocol', 'it acknowledged what it did not get');
      connection.unacknowledged -= message.bytes;
      if (connection.unacknowledged < limits.windowBytes) stream?.resume();
    } else if (message.type === 'end') stream?.end();
    else {
      connections.delete(id);
      stream?.destroy();
    }
  }

  function close(id: string, error?: string): void {
    const connection = connections.get(id);
    if (!connection) return;
    connections.delete(id);
    connection.stream?.destroy();
    send({ type: 'closed', id, ...(error !== undefined && { error }) });
  }

  return {
    open,
    receive,
    closeAll(): void {
      for (const { stream } of connections.values()) stream?.destroy();
      connections.clear();
    },
  };
}
