import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below the range that outgoing connections take theirs from: nobody gets in between here and the start. */
const RANGE = [10_000, 32_000] as const;

/** So many free ports of loopback: from `first` on where it is said and they are free. */
export async function freePorts(count: number, first?: number): Promise<readonly number[]> {
  const held: [number, Server][] = [];
  for (let index = 0; held.length < count; index++) {
    const port = first !== undefined && index < count ? first + index : randomInt(...RANGE);
    const server = await hold(port);
    if (server) held.push([port, server]);
  }
  // All are held at once, so that they differ.
  await Promise.all(held.map(([, server]) => new Promise((resolve) => server.close(resolve))));
  return held.map(([port]) => port);
}

async function hold(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}
