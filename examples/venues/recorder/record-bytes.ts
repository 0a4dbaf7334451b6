import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface ByteRecorder {
  /** All that went in both directions so far, connection by connection. */
  text(): string;
  close(): Promise<void>;
}

/** Stands in front of a server that speaks no HTTP, memcached here, and keeps every byte. */
export async function recordBytes({
  host,
  target,
  port,
}: {
  readonly host: string;
  readonly target: string;
  readonly port: number;
}): Promise<ByteRecorder> {
  const directions: Buffer[][] = [];
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const behind = connect(port, target);
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      const kept: Buffer[] = [];
      directions.push(kept);
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes: Buffer) => void kept.push(bytes));
      from.pipe(to);
      // Where one end breaks, the other one does: nobody waits for a server that is gone.
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(port, host);
  await once(server, 'listening');

  return {
    text: () => directions.map((kept) => Buffer.concat(kept).toString('latin1')).join('\n'),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
