import { lookup } from 'node:dns/promises';
import { createOutgoing } from '../outgoing/http-client.ts';
import { type ExportSettings, isLoopback } from './export-settings.ts';
import { createLogSource } from './log-source.ts';
import { type Checkpoint, type ExportProgress, type ExportReport, runExport } from './run-export.ts';
import { createWebhook } from './webhook.ts';

interface Parts {
  readonly settings: ExportSettings;
  /** Private networks that the operator opened for all that the server calls: GATEWRIGHT_OUTGOING_ALLOW. */
  readonly allowed: readonly string[];
  readonly checkpoint: Checkpoint;
  readonly onProgress: (progress: ExportProgress) => void;
  readonly onWait: (words: string) => void;
  readonly signal: AbortSignal;
}

/** The operator names the tenant: it may be anywhere. Where its log is sent to is guarded. */
const ANYWHERE = ['0.0.0.0/0', '::/0'];

/** One run with connections of its own, which end with it. */
export async function exportOnce({
  settings,
  allowed,
  checkpoint,
  onProgress,
  onWait,
  signal,
}: Parts): Promise<ExportReport> {
  const tenant = createOutgoing({ allowed: ANYWHERE, resolve });
  const webhook = createOutgoing({
    allowed: [...allowed, ...settings.allowed],
    resolve,
    connections: settings.concurrentCalls,
  });
  const now = () => Date.now();
  try {
    return await runExport({
      settings,
      source: createLogSource({ settings, callOut: tenant.callOut, now, onWait, signal }),
      // As with the services of a development tenant: they run on its machine.
      deliver: createWebhook({
        settings,
        callOut: webhook.callOut,
        mayReachLoopback: isLoopback(new URL(settings.origin).hostname),
      }),
      checkpoint,
      onProgress,
      now,
      signal,
    });
  } finally {
    await Promise.all([tenant.stop(), webhook.stop()]);
  }
}

/** RFC 6761 section 6.3: names below localhost are this machine, also where its resolver does not know them. */
async function resolve(hostname: string) {
  if (/\.localhost$/i.test(hostname))
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
  return lookup(hostname, { all: true, verbatim: true });
}
