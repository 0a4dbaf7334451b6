import type pg from 'pg';
import type { Config } from '../config.ts';
import { checkDatabase } from '../db/check-database.ts';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres.ts';
import { lockDataFolder } from '../db/embedded/folder-lock.ts';
import type { Log } from '../kit/log.ts';

/** The embedded PostgreSQL or DATABASE_URL's, with the data folder locked: one Gatewright at a time (`undo` gives both back). */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  log: Pick<Log, 'info'>,
  undo: (() => Promise<void> | void)[],
): Promise<{ readonly poolOptions: pg.PoolConfig }> {
  if (config.databaseUrl) {
    const lock = await lockDataFolder(config.dataDir);
    undo.push(() => lock.release());
    await checkDatabase(config.databaseUrl);
    return { poolOptions: { connectionString: config.databaseUrl } };
  }
  const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, log: (message) => log.info(message) });
  undo.push(() => embedded.stop());
  return embedded;
}
