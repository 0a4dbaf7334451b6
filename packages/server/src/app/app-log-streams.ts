import type { Transact } from '../db/transact.ts';
import { createDeliveryWorker } from '../log-streams/delivery/delivery-worker.ts';
import { createOutlets } from '../log-streams/open-outlet.ts';
import { createStreamTrial } from '../log-streams/try-stream.ts';
import type { ConnectOut } from '../outgoing/connect-out.ts';
import type { CallOut } from '../outgoing/http-client.ts';
import type { Stores } from '../stores.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { World } from './app-world.ts';

interface Parts extends Pick<World, 'log' | 'now' | 'config' | 'processes' | 'streamRandom'> {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly callOut: CallOut;
  readonly connectOut: ConnectOut;
}

/** The log streams of all tenants: who delivers them, and how one is tried. */
export function createLogStreams(parts: Parts) {
  const { config, now } = parts;
  const openOutlet = createOutlets({
    callOut: parts.callOut,
    connectOut: parts.connectOut,
    folder: config.logFolder,
    datadogAddress: config.datadogAddress,
    now,
  });
  return {
    worker: createDeliveryWorker({ ...parts, openOutlet, random: parts.streamRandom }),
    trySend: createStreamTrial({ openOutlet, now }),
  };
}
