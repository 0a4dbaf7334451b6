import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from '../world.ts';

/** A place where a rule waits until the test lets it go on: a server that answers when it is told to. */
export async function openGate(world: World) {
  const waiting: ServerResponse[] = [];
  let arrived: (() => void) | undefined;
  const server = createServer((_request, response) => {
    waiting.push(response);
    arrived?.();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await world.app.stores.egress.allow('dev', 'intranet', `127.0.0.1:${port}`);
  world.app.forget('dev');
  return {
    /** Waits there, then goes on. */
    rule: `async function (user, context, callback) { await fetch('http://127.0.0.1:${port}/'); callback(null, user, context); }`,
    /** Begins something whose rules come to the gate, does something else meanwhile, and lets them go on. */
    async during<T>(begin: () => Promise<T>, meanwhile: () => Promise<unknown>, runs = 1): Promise<T> {
      const atGate = new Promise<void>((resolve) => {
        arrived = () => {
          if (waiting.length >= runs) resolve();
        };
      });
      const begun = begin();
      await Promise.race([atGate, begun]);
      await meanwhile();
      for (const response of waiting.splice(0)) response.end();
      return begun;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
