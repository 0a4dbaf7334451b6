import { randomBytes } from 'node:crypto';
import { createApp } from '../src/app/app.ts';
import { createPool } from '../src/db/database.ts';
import { createLog } from '../src/kit/log.ts';
import type { FirstRunSecrets } from '../src/tenants/first-run.ts';
import { COMMON, PORTS } from './world-config.ts';

/** What a database holds that a server has been started on once. */
export interface Filled {
  readonly template: string;
  /** What its rows are sealed with: text, so that a process can be given it as GATEWRIGHT_SECRET. */
  readonly secret: string;
  readonly firstRun: FirstRunSecrets;
}

/** Makes the tenant `dev` in a migrated database. Most worlds begin with it: its keys and hashes are half of a start. */
export async function fillTemplate(connectionString: string): Promise<Pick<Filled, 'secret' | 'firstRun'>> {
  const secret = randomBytes(32).toString('base64url');
  const poolOptions = { connectionString };
  const pool = createPool(poolOptions);
  const app = await createApp({
    ...COMMON,
    pool,
    poolOptions,
    secret: { bytes: Buffer.from(secret), source: 'the test' },
    processes: 1,
    listening: () => PORTS,
    log: createLog('json', () => {}),
    now: () => new Date(),
  });
  try {
    await app.start();
    const firstRun = await app.tenants.create({ name: 'dev', environment: 'development', isDefault: true });
    await app.stop();
    // Else each copy would begin its log as one that was restored elsewhere.
    await pool.query('update log_epoch set cluster_id = null');
    return { secret, firstRun };
  } finally {
    await pool.end();
  }
}
