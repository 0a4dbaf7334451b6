import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World as AppWorld } from '../src/app/app-world.ts';

export const PORTS = { http: 3000, https: 3443 };

/** What is the same for all servers in process. */
export const COMMON = {
  // The inject socket has no TLS; as a trusted proxy the test says which scheme it stands for.
  config: {
    baseDomain: 'localhost',
    origin: undefined,
    trustedProxies: ['127.0.0.1'],
    clientCertificateHeader: 'client-certificate',
    metricsToken: undefined,
    outgoingAllow: [],
    egress: 'deny-private',
    logFolder: join(tmpdir(), `gatewright-streams-${process.pid}`),
    datadogAddress: undefined,
  },
  // The log is counted when a test says so: rows that change by themselves would be everybody's.
  watchesLog: false,
  snapshotsOfOthers: async () => [],
  isStarted: () => true,
} satisfies Partial<AppWorld>;
