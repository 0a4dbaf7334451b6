import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from '../world.ts';

/** Says yes or no as always, but not before the test lets it: `configuration.GATE` is the gate's address. */
export const atTheGate = (answer: string) => `async function (...given) {
  const callback = given.at(-1);
  try { await require('axios').get(configuration.GATE); } catch (error) { return callback(error); }
  ${answer}
}`;

/** A server of the tenant's network that answers when the test says so. */
export async function startGate(world: World) {
  const told: ((open: () => void) => void)[] = [];
  let arrived = 0;
  const server = createServer((_request, response: ServerResponse) => {
    arrived += 1;
    const open = () => void response.end('{}');
    const next = told.shift();
    if (next) next(open);
    else open();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await world.app.stores.egress.allow('dev', 'intranet', target);
  world.app.forget('dev');
  return {
    url: `http://${target}/`,
    /** How many scripts came here. */
    arrivals: () => arrived,
    /** The next script that comes here; others pass. */
    arrival: () =>
      new Promise<() => void>((resolve) => {
        told.push(resolve);
      }),
    stop: () => void server.close(),
  };
}
