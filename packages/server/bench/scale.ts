// npm run bench:scale [-- --rows <millions>] [--json]: searches of a log of millions of events, on an embedded PostgreSQL of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { createPool } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrate } from '../src/db/migrate.ts';
import { createPartitionKeeper } from '../src/logs/partitions/partition-keeper.ts';
import type { Figure } from './row.ts';
import { fillLog } from './scale/fill-log.ts';
import { measureIngest } from './scale/measure-ingest.ts';
import { measureSearches } from './scale/measure-searches.ts';
import { renderTable, verdict } from './table.ts';

const USAGE = `Usage: npm run bench:scale -- [--rows <millions>] [--json]

Fills a log with so many million events of seven days (5 unless said otherwise; about 1.3 GB each in a temporary folder),
then measures what the usual searches take, and what their indexes cost who writes.
`;
const { rows: millions = '5', json, help } = readOptions();
if (help || !(Number(millions) > 0 && Number(millions) <= 100)) {
  process.stderr.write(USAGE);
  process.exit(help ? 0 : 1);
}

const folder = await mkdtemp(join(tmpdir(), 'gatewright-scale-'));
let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop().then(() => process.exit(1)));
const database = await startEmbeddedPostgres({ dataDir: folder, log: () => {} });
const pool = createPool(database.poolOptions);
// A day is filled in one statement, which takes longer than a server waits for its database.
const patient = new pg.Pool(database.poolOptions);

try {
  await migrate(pool);
  await createPartitionKeeper({ pool }).keep();
  const rows = Math.round(Number(millions) * 1e6);
  const filled = await fillLog(patient, rows, tell);
  const figures: Figure[] = [...(await measureSearches(pool, tell)), ...(await measureIngest({ pool, patient }, tell))];
  if (json) {
    const told = figures.map((figure) => ({ ...figure, verdict: verdict(figure) }));
    process.stdout.write(`${JSON.stringify({ rows, filled, figures: told }, null, 2)}\n`);
  } else {
    const load = loadavg()[0]?.toFixed(1);
    process.stdout.write(`${renderTable(figures)}\n`);
    process.stdout.write(
      `${rows} events, made in ${filled.seconds.toFixed(0)} s, ${filled.gigabytes.toFixed(1)} GB; ${availableParallelism()} cores, load average ${load}\n`,
    );
  }
} finally {
  await stop();
}

function stop(): Promise<void> {
  stopping ??= (async () => {
    await Promise.all([pool.end(), patient.end()]);
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  })();
  return stopping;
}

function tell(what: string): void {
  process.stderr.write(`${what} …\n`);
}

function readOptions() {
  try {
    return parseArgs({ options: { rows: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } })
      .values;
  } catch (error) {
    process.stderr.write(`bench:scale: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(1);
  }
}
