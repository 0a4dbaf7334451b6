import { once } from 'node:events';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { createLog, type Log } from '../kit/log.ts';
import type { RunningServer } from '../start/start-server.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const DEADLINE_MILLISECONDS = 9_500;
const FLUSH_MILLISECONDS = 1_000;

/** `gatewright start`: runs the server in the foreground until SIGTERM or SIGINT. */
export function startCommand(): Command {
  return new Command('start')
    .description('Start the server, with the embedded PostgreSQL unless DATABASE_URL is set. Settings: see the README.')
    .action(async () => {
      const began = performance.now();
      const config = readConfig(process.env);
      const log = createLog(config.logFormat);
      // Nothing in the data folder is for other users: who can write into the compile cache runs code as us.
      process.umask(0o077);
      const stopping = stopSignal(log);
      // Loaded behind the cache: compiling some four hundred files anew takes most of a start.
      enableCompileCache(join(config.dataDir, 'cache'));
      const { startServer } = await import('../start/start-server.ts');
      const server = await startServer(config, log, stopping).catch((error) => {
        if (stopping.aborted) return undefined;
        throw error;
      });
      if (server) {
        for (const line of welcome(server, config)) log.info(line);
        log.info(`Ready after ${((performance.now() - began) / 1000).toFixed(1)} s. Stop with Ctrl+C.`);
        // Else it is written at the end, when there is no time for it.
        setTimeout(flushCompileCache, FLUSH_MILLISECONDS).unref();
        // Not SIGHUP, which a terminal sends when it closes.
        process.on('SIGUSR2', () => {
          log.info('Replacing the workers one after the other.');
          server.replaceWorkers().catch((error) => log.error('the workers could not be replaced', { error }));
        });
        if (!stopping.aborted) await once(stopping, 'abort');
        await server.stop();
      }
      log.info('Stopped.');
    });
}

/** Aborted by the first SIGTERM or SIGINT; from then on the process ends in time, whatever hangs. */
function stopSignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping.signal.aborted) return;
      log.info('Stopping: requests under way may finish.');
      setTimeout(() => {
        log.warn('Not everything ended in time; what was acknowledged is safe.');
        process.exit(0);
      }, DEADLINE_MILLISECONDS).unref();
      stopping.abort();
    });
  }
  return stopping.signal;
}

/** What somebody who sees Gatewright for the first time needs to log in. */
function welcome(
  { listening, caFile, firstRun, hasTenants }: RunningServer,
  { dataDir, origin }: Pick<Config, 'dataDir' | 'origin'>,
): string[] {
  // What a second terminal has to say, whatever its own environment.
  const gatewright = dataDir === resolve('data') ? 'npx gatewright' : `GATEWRIGHT_DATA_DIR=${dataDir} npx gatewright`;
  const lines = [
    `http://localhost:${listening.http}${listening.https ? ` and https://localhost:${listening.https}` : ''}`,
    ...(origin ? [`The default tenant answers at ${origin} alone (GATEWRIGHT_ORIGIN).`] : []),
  ];
  if (!hasTenants)
    return [
      ...lines,
      `There is no tenant yet, so every request gets 404. Make the first one in a second terminal: ${gatewright} tenant create <name>`,
    ];
  if (!firstRun) return lines;
  const file = join(dataDir, 'first-run.json');
  return [
    ...lines,
    `Tenant '${firstRun.tenant}'. Log in as ${firstRun.user.email}; the password and all client ids and secrets are in ${file}.`,
    ...(caFile ? [`Clients trust https with NODE_EXTRA_CA_CERTS=${caFile} or curl --cacert ${caFile}.`] : []),
    `Mails are kept and not sent: ${gatewright} mails shows them.`,
    `The README has a first login by browser and by curl. When you have kept the secrets: ${gatewright} first-run forget`,
  ];
}
