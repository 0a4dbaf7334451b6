import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
// Declares what the run provides to its tests.
import type {} from '../../server/test/global-setup.ts';
import { startWorld } from '../../server/test/world.ts';

/** A Gatewright in process that a client can reach by HTTP, at `http://localhost:<port>`; its clock stands still. */
export async function startListeningWorld(options: Parameters<typeof startWorld>[0] = {}) {
  const socket = createServer((request, response) => world.app.http.routing(request, response)).listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  const world = await startWorld({ ...options, httpPort: port });
  const origin = `http://localhost:${port}`;

  return {
    world,
    origin,
    issuer: `${origin}/`,
    now: () => world.now().getTime(),
    /** POST /oauth/token at this origin. */
    async tokens(form: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
      const response = await fetch(`${origin}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
      if (!response.ok) throw new Error(await response.text());
      return response.json() as Promise<Record<string, string>>;
    },
    /** Nobody is there for a while. */
    async away<Value>(work: () => Promise<Value>): Promise<Value> {
      socket.closeAllConnections();
      socket.close();
      try {
        return await work();
      } finally {
        socket.listen(port, '127.0.0.1');
        await once(socket, 'listening');
      }
    },
    async stop(): Promise<void> {
      socket.closeAllConnections();
      socket.close();
      await world.stop();
    },
  };
}
