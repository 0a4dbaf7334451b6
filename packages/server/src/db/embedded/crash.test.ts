import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
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
      const stop = new AbortController();
      const writers = [0, 1, 2, 3].map((writer) => writeUntil(stop.signal, round * 4 + writer));
      const before = acknowledged.size;
      while (acknowledged.size < before + 20) await sleep(10);
      await killed(embedded);
      stop.abort();
      await Promise.all(writers);
    }
    const { rows } = await untilItAnswers(() => pool.query<{ number: string }>('select number from acknowledged'));
    const stored = new Set(rows.map(({ number }) => number));
    expect(acknowledged.size).toBeGreaterThan(0);
    expect([...acknowledged].filter((number) => !stored.has(number))).toEqual([]);

    /** Goes on over failures: a process of a killed PostgreSQL may answer once more before it sees that it is alone. */
    async function writeUntil(stopped: AbortSignal, writer: number): Promise<void> {
      for (let n = writer * 1_000_000; !stopped.aborted; n++) {
        try {
          await pool.query('insert into acknowledged values ($1)', [n]);
          acknowledged.add(String(n));
        } catch {
          await sleep(10);
        }
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

describe('A disk that fills up', () => {
  it('stops writing, loses nothing that was acknowledged, and works again when there is space', async ({ skip }) => {
    const dataDir = await temporaryFolder();
    if (!mountSmall(dataDir, '110m')) return skip('a small file system can be mounted only by root with CAP_SYS_ADMIN');
    const embedded = await startEmbeddedPostgres({ dataDir, log: () => {} });
    onTestFinished(() => embedded.stop());
    const pool = createPool({ ...embedded.poolOptions, max: 2 });
    onTestFinished(() => pool.end());
    await pool.query('create table acknowledged (number bigint primary key, filler text)');
    let acknowledged = 0;
    const filler = randomBytes(500_000).toString('base64');
    const refused = await (async () => {
      for (;;) {
        const error = await pool
          .query('insert into acknowledged values ($1, $2)', [acknowledged, filler])
          .catch((e) => e);
        if (error instanceof Error) return error.message;
        acknowledged++;
      }
    })();
    expect(refused).toMatch(/No space left on device|terminat|shut down|recovery/i);
    execFileSync('mount', ['-o', 'remount,size=400m', dataDir]);
    await untilItAnswers(() => pool.query('insert into acknowledged values (-1)'));
    const { rows } = await pool.query('select count(*)::int as count from acknowledged where number between 0 and $1', [
      acknowledged - 1,
    ]);
    expect(acknowledged).toBeGreaterThan(0);
    expect(rows).toEqual([{ count: acknowledged }]);
  });
});

function mountSmall(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder], { stdio: 'pipe' });
    onTestFinished(() => void execFileSync('umount', [folder]));
    return true;
  } catch {
    return false;
  }
}

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
