import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type pg from 'pg';

/** What COPY needs of the driver's connection; its types leave the protocol's copy messages out. */
interface CopyConnection {
  readonly stream: Duplex;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

const CHUNK_BYTES = 65_536;
/** Chunks that wait for the reader before the socket is paused. */
const MOST_CHUNKS = 4;

/** The answer of a `copy … to stdout`, in pieces of 64 KiB, never more than a few of them in memory. Returns the number of rows. */
export async function* copyOut(client: pg.Client, statement: string): AsyncGenerator<Buffer, number, void> {
  const query = new CopyOut(statement);
  client.query(query);
  for (;;) {
    const chunk = await query.next();
    if (chunk === undefined) return query.rows;
    yield chunk;
  }
}

/** Feeds a `copy … from stdin`; resolves with the number of rows. */
export function copyIn(client: pg.Client, statement: string, source: AsyncIterable<Buffer>): Promise<number> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(statement, source, resolve, reject));
  });
}

/** The driver calls these by name: a query like its own, for a message that it has no query for. */
class CopyOut {
  rows = 0;
  readonly statement: string;
  private stream: Duplex | undefined;
  private readonly chunks: Buffer[] = [];
  private gathered = Buffer.allocUnsafe(CHUNK_BYTES);
  private filled = 0;
  private state: 'running' | 'done' | Error = 'running';
  private wake = (): void => {};

  constructor(statement: string) {
    this.statement = statement;
  }

  async next(): Promise<Buffer | undefined> {
    while (this.chunks.length === 0 && this.state === 'running')
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.state instanceof Error) throw this.state;
    const chunk = this.chunks.shift();
    if (this.chunks.length < MOST_CHUNKS) this.stream?.resume();
    return chunk;
  }

  submit(connection: unknown): void {
    const { stream, query } = connection as CopyConnection;
    this.stream = stream;
    query.call(connection, this.statement);
  }

  /** The message lies in a buffer that the driver uses again: it is copied. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(this.gathered, this.filled, at);
      at += taken;
      this.filled += taken;
      if (this.filled === CHUNK_BYTES) this.push();
    }
    if (this.chunks.length >= MOST_CHUNKS) this.stream?.pause();
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.rows = rowsOf(text);
  }

  handleReadyForQuery(): void {
    this.push();
    if (this.state === 'running') this.state = 'done';
    this.wake();
  }

  handleError(error: Error): void {
    this.state = error;
    this.stream?.resume();
    this.wake();
  }

  private push(): void {
    if (this.filled === 0) return;
    this.chunks.push(this.gathered.subarray(0, this.filled));
    this.gathered = Buffer.allocUnsafe(CHUNK_BYTES);
    this.filled = 0;
    this.wake();
  }
}

class CopyIn {
  readonly statement: string;
  private readonly source: AsyncIterable<Buffer>;
  private readonly resolve: (rows: number) => void;
  private readonly reject: (error: unknown) => void;
  private rows = 0;
  private hasEnded = false;
  /** Why the source gave up; it says more than what PostgreSQL then answers. */
  private failure: unknown;

  constructor(
    statement: string,
    source: AsyncIterable<Buffer>,
    resolve: (rows: number) => void,
    reject: (error: unknown) => void,
  ) {
    this.statement = statement;
    this.source = source;
    this.resolve = resolve;
    this.reject = reject;
  }

  submit(connection: unknown): void {
    (connection as CopyConnection).query(this.statement);
  }

  handleCopyInResponse(connection: unknown): void {
    void this.feed(connection as CopyConnection);
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.rows = rowsOf(text);
  }

  handleReadyForQuery(): void {
    this.hasEnded = true;
    this.resolve(this.rows);
  }

  handleError(error: Error): void {
    this.hasEnded = true;
    this.reject(this.failure ?? error);
  }

  private async feed(connection: CopyConnection): Promise<void> {
    try {
      for await (const chunk of this.source) {
        if (this.hasEnded) return;
        connection.sendCopyFromChunk(chunk);
        if (connection.stream.writableNeedDrain) await drained(connection.stream);
      }
      if (!this.hasEnded) connection.endCopyFrom();
    } catch (error) {
      this.failure = error;
      if (!this.hasEnded) connection.sendCopyFail('the source failed');
    }
  }
}

async function drained(stream: Duplex): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]).catch(() => {});
  over.abort();
}

/** The tag of the command: `COPY 12`. */
function rowsOf(tag: string): number {
  return Number(/^COPY (\d+)$/.exec(tag)?.[1] ?? 0);
}
