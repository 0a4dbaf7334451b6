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

/** A database of this test file's own: migrated and without rows, without any table, or with the tenant of a first start. */
export async function createTestDatabase({ migrated = true, filled = false } = {}): Promise<TestDatabase> {
  const { url: adminUrl, template: empty, run } = inject('database');
  const template = filled ? inject('filled').template : migrated ? empty : 'template0';
  const name = `${RUN_PREFIX}${run}_${randomBytes(5).toString('hex')}`;
  await clone(adminUrl, template, name);
  const url = withDatabase(adminUrl, name);
  const poolOptions: pg.PoolConfig = { connectionString: url };
  const pool = createPool(poolOptions);
  return {
    pool,
    poolOptions,
    url,
    async drop() {
      await pool.end();
      await asAdmin(adminUrl, (admin) => patiently(() => admin.query(`drop database if exists ${name} with (force)`)));
    },
  };
}

/** Someone looks at the template, or autovacuum, which is not ours to end, works in what is to be dropped. */
const BUSY = new Set(['55006', '42501']);

async function clone(adminUrl: string, template: string, name: string): Promise<void> {
  await asAdmin(adminUrl, (admin) => patiently(() => admin.query(`create database ${name} template ${template}`)));
}

async function patiently(statement: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await statement();
      return;
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
      if (!BUSY.has(code) || attempt === 100) throw cause;
      await sleep(100);
    }
  }
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
