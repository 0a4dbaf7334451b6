import { join } from 'node:path';
import type { App } from '../app/app.ts';
import type { Config } from '../config.ts';
import type { ControlVerbs } from '../control/control-server.ts';
import { cronCommands } from '../cron/cron-commands.ts';
import { createCronScheduler } from '../cron/cron-scheduler.ts';
import { runInProcess } from '../cron/run-in-process.ts';
import { serverName } from '../cron/server-name.ts';
import type { Log } from '../kit/log.ts';

interface Parts {
  readonly app: App;
  readonly config: Pick<Config, 'dataDir' | 'outgoingAllow'>;
  /** Of our own certificate: scheduled exports read this server's log over https, too. */
  readonly caFile: string | null;
  readonly log: Log;
}

/** A server ends within ten seconds: what a run has begun by then may come again. */
const GRACE_MILLISECONDS = 1_500;

/** The scheduled exports of this server: one scheduler, whatever number of processes it has. */
export function startCron({ app, config, caFile, log }: Parts): { verbs: ControlVerbs; stop(): Promise<void> } {
  const { stores, transact } = app;
  const now = () => new Date();
  const { NODE_EXTRA_CA_CERTS } = process.env;
  const scheduler = createCronScheduler({
    stores,
    transact,
    runInProcess: (run) =>
      runInProcess(run, {
        allowed: config.outgoingAllow,
        authority: caFile ?? undefined,
        environment: {
          NODE_COMPILE_CACHE: join(config.dataDir, 'cache'),
          ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
        },
        graceMilliseconds: GRACE_MILLISECONDS,
      }),
    serverName: serverName(config.dataDir),
    log,
    now,
  });
  app.metrics.watchExports(scheduler.lagSeconds);
  scheduler.start();
  return {
    verbs: cronCommands({ stores, transact, onChange: scheduler.poke, now }),
    stop: scheduler.stop,
  };
}
