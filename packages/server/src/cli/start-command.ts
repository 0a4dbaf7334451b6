import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { createLog } from '../kit/log.ts';
import type { RunningServer } from '../start-server.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const DEADLINE_MILLISECONDS = 9_500;

/** `gatewright start`: runs the server in the foreground until SIGTERM or SIGINT. */
export function startCommand(): Command {
  return new Command('start')
    .description('Start the server, with the embedded PostgreSQL unless DATABASE_URL is set. Settings: see the README.')
    .action(async () => {
      const began = performance.now();
      const config = readConfig(process.env);
      const log = createLog(config.logFormat);
      // Before the cache makes it with everybody's rights.
      mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
      // Loaded behind the cache: compiling some four hundred files anew takes most of a start.
      enableCompileCache(join(config.dataDir, 'cache'));
      const { startServer } = await import('../start-server.ts');
      const server = await startServer(config, log);
      if (config.workers > 1)
        log.warn(
          'GATEWRIGHT_WORKERS is not built yet: one process serves. Start several servers on one DATABASE_URL instead.',
        );
      for (const line of welcome(server, config.dataDir)) log.info(line);
      log.info(`Ready after ${((performance.now() - began) / 1000).toFixed(1)} s. Stop with Ctrl+C.`);
      await untilSignal();
      log.info('Stopping: requests under way may finish.');
      setTimeout(() => process.exit(1), DEADLINE_MILLISECONDS).unref();
      await server.stop();
      log.info('Stopped.');
    });
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve());
  });
}

/** What somebody who sees Gatewright for the first time needs to log in. */
function welcome({ listening, caFile, firstRun }: RunningServer, dataDir: string): string[] {
  const lines = [
    `http://localhost:${listening.http}${listening.https ? ` and https://localhost:${listening.https}` : ''}`,
  ];
  if (!firstRun) return lines;
  const file = join(dataDir, 'first-run.json');
  return [
    ...lines,
    `Tenant '${firstRun.tenant}'. Log in as ${firstRun.user.email}; the password and all client ids and secrets are in ${file}.`,
    ...(caFile ? [`Clients trust https with NODE_EXTRA_CA_CERTS=${caFile} or curl --cacert ${caFile}.`] : []),
    'The README has a first login by browser and by curl. When you have kept the secrets: gatewright first-run forget.',
  ];
}
