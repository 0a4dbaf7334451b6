import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type App, createApp } from '../src/app/app.ts';
import { createPatientPool, createPool } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrate } from '../src/db/migrate.ts';
import { prefixedId } from '../src/kit/ids.ts';
import { newSigningSecret } from '../src/log-streams/sign-delivery.ts';
import { makeDataFolder } from './gatewright-process.ts';
import { startProgram } from './program.ts';
import type { SinkReport, SinkTask } from './programs/sink.ts';

/** 1.1 kB with its indexes, as a login's event. */
export const INSERT_EVENTS = `insert into log_events (tenant_id, type, user_id, client_id, body)
  select 'dev', 's', 'auth0|' || i % 5000, 'app-' || i % 20, jsonb_build_object('details', repeat(md5(i::text), 21))
  from generate_series(1, $1::integer) i`;

export type LogSubject = Awaited<ReturnType<typeof startLogSubject>>;

/** The server's own parts in this process, on a PostgreSQL of their own, and a sink in a process of its own. */
export async function startLogSubject() {
  const folder = await makeDataFolder();
  const database = await startEmbeddedPostgres({ dataDir: folder.path, log: () => {} });
  const patient = createPatientPool(database.poolOptions);
  await migrate(patient);
  const pool = createPool(database.poolOptions);
  const app = await startApp(pool, database.poolOptions, folder.path);
  const tenant = await app.tenants.create({ name: 'dev', environment: 'development', isDefault: true });
  const sink = startProgram<SinkTask, SinkReport>('sink');
  const { port } = await sink.run({});

  return {
    app,
    pool,
    poolOptions: database.poolOptions,
    url: database.url,
    tenant,
    /** Makes a stream that begins with what happens now. */
    async addStream(path: string, format: 'JSONOBJECT' | 'JSONLINES'): Promise<string> {
      const id = prefixedId('lst');
      const cursor = await app.stores.logs.end();
      await app.transact(async ({ logStreams, streamDeliveries }) => {
        await logStreams.insert('dev', {
          id,
          name: path,
          type: 'http',
          status: 'active',
          isPriority: false,
          filters: [{ type: 'category', name: 'auth.login.success' }],
          piiConfig: undefined,
          startFrom: undefined,
          sink: { httpEndpoint: `http://127.0.0.1:${port}${path}`, httpContentFormat: format },
          signingSecrets: [],
          damage: undefined,
        });
        await logStreams.update('dev', id, { signingSecrets: [{ secret: newSigningSecret() }] });
        await streamDeliveries.insert('dev', id, cursor);
      });
      app.streams.wake();
      await untilOwned(pool, id);
      return id;
    },
    async removeStreams(): Promise<void> {
      await pool.query('delete from log_streams');
      app.streams.wake();
      await pool.query('truncate log_events');
      await sleep(500);
    },
    write: (count: number) => patient.query(INSERT_EVENTS, [count]),
    sink: (task: SinkTask) => sink.run(task),
    /** Until so many events have arrived at these paths. */
    async arrived(count: number, isCounted = (_path: string): boolean => true): Promise<SinkReport> {
      for (;;) {
        const report = await sink.run({});
        const paths = Object.entries(report.eventsOfPath).filter(([path]) => isCounted(path));
        if (paths.reduce((sum, [, events]) => sum + events, 0) >= count) return report;
        await sleep(50);
      }
    },
    async stop(): Promise<void> {
      await sink.stop();
      await app.stop();
      await Promise.all([pool.end(), patient.end()]);
      await database.stop();
      await folder.remove();
    },
  };
}

async function startApp(pool: pg.Pool, poolOptions: pg.PoolConfig, folder: string): Promise<App> {
  const app = await createApp({
    pool,
    poolOptions,
    secret: { bytes: randomBytes(32), source: 'the bench' },
    config: {
      baseDomain: 'localhost',
      origin: undefined,
      trustedProxies: [],
      clientCertificateHeader: undefined,
      metricsToken: undefined,
      outgoingAllow: [],
      egress: 'deny-private',
      logFolder: join(folder, 'logs'),
      datadogAddress: undefined,
    },
    processes: 1,
    watchesLog: false,
    snapshotsOfOthers: async () => [],
    listening: () => ({ http: 3000, https: 3443 }),
    isStarted: () => true,
    log: { info: () => {}, warn: () => {}, error: (message) => process.stderr.write(`${message}\n`) },
    now: () => new Date(),
  });
  await app.start();
  return app;
}

/** Somebody delivers it. */
async function untilOwned(pool: pg.Pool, id: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query('select owner from log_stream_deliveries where stream_id = $1', [id]);
    if (rows[0]?.owner) return;
    await sleep(20);
  }
}
