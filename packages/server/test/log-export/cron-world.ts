import type { ControlVerbs } from '../../src/control/control-server.ts';
import { cronCommands } from '../../src/cron/cron-commands.ts';
import { createCronScheduler } from '../../src/cron/cron-scheduler.ts';
import { runInProcess } from '../../src/cron/run-in-process.ts';
import { type Json, objectOf, objectsOf } from '../../src/kit/json-values.ts';
import { createLog } from '../../src/kit/log.ts';
import { COMPILE_CACHE } from '../compile-cache.ts';
import { startWorld } from '../world.ts';
import { startRecorder } from './recorder.ts';
import { startTenantStandIn } from './tenant-stand-in.ts';

const EVERY_MILLISECONDS = 300_000;
/** Of the stand-in's application. */
export const SECRET = 'right';

export type CronWorld = Awaited<ReturnType<typeof startCronWorld>>;

/** A world with the verbs of `gatewright cron`, a tenant elsewhere whose log is exported, and a webhook. */
export async function startCronWorld() {
  const [world, tenant, webhook] = await Promise.all([startWorld(), startTenantStandIn(), startRecorder()]);
  const { stores, transact } = world.app;
  const verbs: ControlVerbs = cronCommands({ stores, transact, onChange: () => {}, now: world.now });
  const said: string[] = [];

  async function ask(verb: string, input: Json = {}): Promise<Json> {
    const found = verbs[verb];
    if (!found) throw new Error(verb);
    return objectOf(await found(input));
  }

  /** The schedulers of a server on this database. */
  let servers = 0;
  const server = (serverName = `server ${++servers}`) =>
    createCronScheduler({
      stores,
      transact,
      runInProcess: (run) =>
        runInProcess(run, {
          allowed: [],
          environment: { NODE_COMPILE_CACHE: COMPILE_CACHE },
          graceMilliseconds: 3_000,
        }),
      serverName,
      log: createLog('json', (line) => said.push(line)),
      now: world.now,
    });

  const jobs = async () => objectsOf((await ask('cron-list')).jobs);
  return {
    world,
    tenant,
    webhook,
    verbs,
    /** Lines that the servers told their operator. */
    said,
    ask,
    jobs,
    runs: async (name: string, count = 1) => objectsOf((await ask('cron-runs', { name, runs: count })).runs),
    /** Every five minutes, from the tenant elsewhere to the webhook, unless said otherwise. */
    schedule: (name: string, change: Json = {}, settings: Json = {}): Promise<Json> =>
      ask('cron-schedule', {
        name,
        schedule: '*/5 * * * *',
        settings: {
          AUTH0_DOMAIN: tenant.origin,
          AUTH0_GLOBAL_CLIENT_ID: 'id',
          AUTH0_GLOBAL_CLIENT_SECRET: SECRET,
          WEBHOOK_URL: webhook.url,
          ...settings,
        },
        ...change,
      }),
    server,
    /** All servers look at once, when the job is due, and their runs end. */
    async whenDue(...servers: ReturnType<typeof server>[]): Promise<void> {
      world.advance(EVERY_MILLISECONDS);
      await Promise.all(servers.map(({ tick }) => tick()));
      await Promise.all(servers.map(({ idle }) => idle()));
    },
    async reset(): Promise<void> {
      for (const { name } of await jobs()) await ask('cron-remove', { name });
      webhook.reset();
      tenant.intercept(undefined);
      said.length = 0;
    },
    stop: () => Promise.all([world.stop(), tenant.stop(), webhook.stop()]),
  };
}
