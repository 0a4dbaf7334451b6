import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';

export interface ExpressApplication {
  readonly origin: string;
  close(): Promise<void>;
}

/** A customer's Express application on a free port; `build` gets the origin, which its middleware has to be told. */
export async function startExpress(build: (app: Express, origin: string) => void): Promise<ExpressApplication> {
  const app = express();
  const server: Server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  build(app, origin);
  return {
    origin,
    async close() {
      server.close().closeAllConnections();
    },
  };
}
