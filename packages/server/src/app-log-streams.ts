import { join } from 'node:path';
import type { World } from './app.ts';
import type { Transact } from './db/transact.ts';
import { createDeliveryWorker } from './log-streams/delivery/delivery-worker.ts';
import { createOutlets } from './log-streams/open-outlet.ts';
import { createStreamTrial } from './log-streams/try-stream.ts';
import type { ConnectOut } from './outgoing/connect-out.ts';
import type { CallOut } from './outgoing/http-client.ts';
import type { Stores } from './stores.ts';
import type { Tenant } from './tenants/tenant.ts';

interface Parts extends Pick<World, 'log' | 'now' | 'processes' | 'streamFolder' | 'streamRandom'> {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly callOut: CallOut;
  readonly connectOut: ConnectOut;
}

/** The log streams of all tenants: who delivers them, and how one is tried. */
export function createLogStreams(parts: Parts) {
  const { now } = parts;
  const openOutlet = createOutlets({
    callOut: parts.callOut,
    connectOut: parts.connectOut,
    folder: parts.streamFolder ?? join(process.cwd(), 'data', 'logs'),
    now,
  });
  return {
    worker: createDeliveryWorker({ ...parts, openOutlet, random: parts.streamRandom }),
    trySend: createStreamTrial({ openOutlet, now }),
  };
}
