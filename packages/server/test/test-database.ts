import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { createPool } from '../src/db/database.ts';
import { RUN_PREFIX, withDatabase } from './test-runs.ts';

export interface TestDatabase {
  readonly pool: pg.Pool;
  readonly poolOptions: pg.PoolConfig;
  /** For servers that a test starts in processes of their own. */
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of this test file's own: migrated and without rows, or without any table. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { url: adminUrl, template, run } = inject('database');
  const name = `${RUN_PREFIX}${run}_${randomBytes(5).toString('hex')}`;
  await clone(adminUrl, migrated ? template : 'template0', name);
  const url = withDatabase(adminUrl, name);
  const poolOptions: pg.PoolConfig = { connectionString: url };
  const pool = createPool(poolOptions);
  return {
    pool,
    poolOptions,
    url,
    async drop() {
      await pool.end();
      await asAdmin(adminUrl, (admin) => admin.query(`drop database if exists ${name} with (force)`));
    },
  };
}

const TEMPLATE_BUSY = '55006';

async function clone(adminUrl: string, template: string, name: string): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await admin.query(`create database ${name} template ${template}`);
      } catch (cause) {
        // Someone looks at the template, autovacuum for example.
        const busy = cause instanceof Error && 'code' in cause && cause.code === TEMPLATE_BUSY;
        if (!busy || attempt === 100) throw cause;
        await sleep(100);
      }
    }
  });
}

async function asAdmin<Result>(url: string, work: (admin: pg.Client) => Promise<Result>): Promise<Result> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
