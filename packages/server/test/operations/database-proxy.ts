import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createPool } from '../../src/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';

export interface ProxiedDatabase extends TestDatabase {
  /** The same database, without the proxy. */
  readonly direct: TestDatabase;
  /** Breaks every connection and refuses new ones, until `restore`. */
  cut(): Promise<void>;
  /** Keeps connections and takes new ones, but passes nothing on, until `restore`. */
  hang(): void;
  restore(): Promise<void>;
}

/** A database of a test file behind a network that can fail. */
export async function createProxiedDatabase(): Promise<ProxiedDatabase> {
  const direct = await createTestDatabase();
  const target = new URL(direct.url);
  const pairs = new Set<readonly [Socket, Socket]>();
  let isHanging = false;

  const server = createServer((client) => {
    const folder = target.searchParams.get('host');
    const port = Number(target.port || 5432);
    const upstream = folder ? connect(`${folder}/.s.PGSQL.${port}`) : connect(port, target.hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
      if (!isHanging) from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const own = new URL(direct.url);
  own.searchParams.delete('host');
  own.hostname = '127.0.0.1';
  own.port = String(port);
  const poolOptions = { connectionString: own.href };
  const pool = createPool(poolOptions);

  return {
    pool,
    poolOptions,
    url: own.href,
    direct,
    async cut() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [client, upstream] of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await closed;
    },
    hang() {
      isHanging = true;
      for (const [client, upstream] of pairs) {
        client.unpipe().pause();
        upstream.unpipe().pause();
      }
    },
    async restore() {
      isHanging = false;
      for (const [client, upstream] of pairs) {
        client.pipe(upstream);
        upstream.pipe(client);
      }
      if (!server.listening) {
        server.listen(port, '127.0.0.1');
        await once(server, 'listening');
      }
    },
    async drop() {
      await pool.end();
      if (server.listening) server.close();
      for (const [client, upstream] of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await direct.drop();
    },
  };
}
