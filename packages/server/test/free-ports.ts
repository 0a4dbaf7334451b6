import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** Below the range that outgoing connections take theirs from: nobody gets in between here and the start, or a restart. */
const PORTS = [10_000, 32_000] as const;

/** Both held at once, so that they differ. */
export async function freePorts(): Promise<readonly [number, number]> {
  const [one, two] = [await holdPort(), await holdPort()];
  const ports = [portOf(one), portOf(two)] as const;
  for (const held of [one, two]) held.close();
  return ports;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts();
  return port;
}

async function holdPort(): Promise<Server> {
  for (;;) {
    const server = createServer().listen(randomInt(...PORTS), '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) return server;
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
