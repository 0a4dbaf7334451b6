import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { createPool } from '../database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { isAlive } from './pid-file.ts';

describe('kill -9 of PostgreSQL', () => {
  it('loses nothing that was acknowledged, and it runs again without a restart of the server', async () => {
    const embedded = await startEmbeddedPostgres({ dataDir: await temporaryFolder(), log: () => {} });
    onTestFinished(() => embedded.stop());
    const pool = createPool(embedded.poolOptions);
    onTestFinished(() => pool.end());
    await pool.query('create table acknowledged (number bigint primary key)');
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const writers = [0, 1, 2, 3].map((writer) => writeUntilFailure(round * 4 + writer));
      const before = acknowledged.size;
      while (acknowledged.size < before + 20) await sleep(10);
      await killed(embedded);
      await Promise.all(writers);
    }
    const { rows } = await untilItAnswers(() => pool.query<{ number: string }>('select number from acknowledged'));
    const stored = new Set(rows.map(({ number }) => number));
    expect(acknowledged.size).toBeGreaterThan(0);
    expect([...acknowledged].filter((number) => !stored.has(number))).toEqual([]);

    async function writeUntilFailure(writer: number): Promise<void> {
      await untilItAnswers(() => pool.query('select 1'));
      for (let n = writer * 1_000_000; ; n++) {
        try {
          await pool.query('insert into acknowledged values ($1)', [n]);
        } catch {
          return;
        }
        acknowledged.add(String(n));
      }
    }
  });

  it('is told to whoever listens, and a stop in the middle of the recovery leaves nothing behind', async () => {
    const said: string[] = [];
    const embedded = await startEmbeddedPostgres({
      dataDir: await temporaryFolder(),
      log: (message) => said.push(message),
    });
    const reason = new Promise<string>((resolve) => embedded.onExit(resolve));
    process.kill(embedded.pid, 'SIGKILL');
    expect(await reason).toBe('SIGKILL');
    await embedded.stop();
    expect(said).toContain('PostgreSQL ended by itself (SIGKILL); it is started again.');
    expect(() => process.kill(embedded.pid, 0)).toThrow('ESRCH');
  });
});

async function killed(embedded: EmbeddedPostgres): Promise<void> {
  const gone = new EventTarget();
  embedded.onExit(() => gone.dispatchEvent(new Event('exit')));
  const exit = once(gone, 'exit');
  while (!(await isAlive(embedded.pid))) await sleep(10);
  process.kill(embedded.pid, 'SIGKILL');
  await exit;
}

async function untilItAnswers<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(50);
    }
  }
}
