import type { Config } from '../config.ts';
import { createLog } from '../kit/log.ts';
import { createSnapshotQuestions } from '../workers/gather-snapshots.ts';
import type { ToPrimary, ToWorker } from '../workers/worker-messages.ts';
import { openApp } from './start-app.ts';
import { serve } from './start-listening.ts';

const DRAIN_MILLISECONDS = 6_000;

/** One of GATEWRIGHT_WORKERS processes: serves until the first process, or a signal, ends it. It dies with the first process. */
export function startWorker(config: Config): void {
  const log = createLog(config.logFormat);
  const undo: (() => Promise<void> | void)[] = [];
  const others = createSnapshotQuestions((id) => tell({ type: 'countOthers', id }));
  let snapshot: (() => Promise<object>) | undefined;
  let isStarted = false;
  let isEnding = false;

  async function start({ poolOptions, isStarted: isLate }: Extract<ToWorker, { type: 'serve' }>): Promise<void> {
    isStarted ||= isLate;
    const listening: { http: number | undefined; https: number | undefined } = { http: undefined, https: undefined };
    const { app } = await openApp({
      config,
      poolOptions,
      log,
      undo,
      listening: () => listening,
      isStarted: () => isStarted,
      snapshotsOfOthers: others.ask,
    });
    snapshot = app.metrics.snapshot;
    const served = await serve(config, app, log, undo, DRAIN_MILLISECONDS);
    Object.assign(listening, { http: served.http, https: served.https });
    tell({ type: 'listening', http: served.http, https: served.https, caFile: served.caFile });
  }

  async function end(): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    for (const step of undo.reverse()) {
      try {
        await step();
      } catch (error) {
        log.error('a part of a worker could not be stopped', { error });
      }
    }
    process.exit(0);
  }

  process.on('message', (message: ToWorker) => {
    if (message.type === 'stop') void end();
    else if (message.type === 'started') isStarted = true;
    else if (message.type === 'counted') others.receive(message);
    else if (message.type === 'count')
      snapshot?.().then((counted) => tell({ type: 'count', id: message.id, snapshot: counted }));
    else
      start(message).catch((error: Error) => {
        tell({ type: 'failed', message: error.message });
        void end();
      });
  });
  // A terminal's Ctrl+C and systemd's stop go to every process of the group; alone, a signal ends this worker in peace.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());
}

function tell(message: ToPrimary): void {
  process.send?.(message, undefined, undefined, () => {});
}
