import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { createPool } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrate } from '../src/db/migrate.ts';
import { FOLDER_PREFIX, removeDeadRuns } from './dead-runs.ts';
import { type Filled, fillTemplate } from './fill-template.ts';
import { dropLeftovers, holdRun, RUN_PREFIX, withDatabase } from './test-runs.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where tests make their databases: a connection string, and the migrated template's name. */
    database: { url: string; template: string; run: number };
    filled: Filled;
  }
}

/** One PostgreSQL for the run (ours, or TEST_DATABASE_URL's) with migrated templates that the test files clone. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const run = randomInt(1, 2 ** 31);
  await holdRun(admin, run);
  await dropLeftovers(admin);
  const template = `${RUN_PREFIX}${run}_template`;
  await admin.query(`create database ${template}`);
  const pool = createPool({ connectionString: withDatabase(server.url, template), max: 1 });
  try {
    await migrate(pool);
  } finally {
    await pool.end();
  }
  const filled = `${RUN_PREFIX}${run}_filled`;
  await admin.query(`create database ${filled} template ${template}`);
  project.provide('database', { url: server.url, template, run });
  project.provide('filled', { template: filled, ...(await fillTemplate(withDatabase(server.url, filled))) });
  return async () => {
    await dropLeftovers(admin, run);
    await admin.end();
    await server.stop();
  };
}

async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, stop: async () => {} };
  await removeDeadRuns();
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  const embedded = await startEmbeddedPostgres({ dataDir: folder, log: () => {} });
  return {
    url: embedded.url,
    async stop() {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
