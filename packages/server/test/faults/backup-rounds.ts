import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { ask, countRows, takeApart } from '../backup-files.ts';
import { place, run, runToEnd } from '../operations/command.ts';
import { startTraffic } from '../operations/traffic.ts';
import { createTestDatabase } from '../test-database.ts';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 10);
const MANY_EVENTS = `insert into log_events (tenant_id, type, body) select 'dev', 'seccft', jsonb_build_object('noise',
  (select string_agg(md5(random()::text || m || n), '') from generate_series(1, 20) m)) from generate_series(1, 80000) n`;
/** A second backup of 60 MB of rows finds the buffers of the first: nothing of it stays in memory. */
const MOST_GROWTH_MEGABYTES = 60;

it(`kill -9 of the backup, of its server, and of the restore, in ${ROUNDS} rounds under load: whole or nothing`, async () => {
  const database = await createTestDatabase({ migrated: false });
  onTestFinished(() => database.drop());
  const { env, dataDir, folder } = await place();
  const settings = { ...env, DATABASE_URL: database.url, GATEWRIGHT_BOOTSTRAP: '1', HTTPS_PORT: '0' };
  let server = run(['start'], { env: settings });
  await server.says('Ready after');
  await ask(database.url, MANY_EVENTS);
  const firstRun = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
  const key = (await readFile(join(dataDir, 'secret.key'), 'utf8')).trim();
  const backups = join(folder, 'backups');
  await mkdir(backups);
  const file = join(backups, 'all.backup');

  async function watchedBackup(path: string): Promise<{ milliseconds: number; most: number }> {
    const backup = run(['backup', path], { env });
    let most = 0;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        most = Math.max(most, await residentMegabytes(server.pid));
        await sleep(50);
      }
    })();
    const { code, milliseconds } = await backup.ended;
    isOver = true;
    await watching;
    expect({ code, printed: backup.printed() }).toEqual({ code: 0, printed: expect.stringMatching(/^Wrote /) });
    return { milliseconds, most };
  }

  const traffic = await startTraffic(firstRun.http_origin, firstRun, 'backup');
  const first = await watchedBackup(file);
  await traffic.stop();
  expect(traffic.acknowledged.logins.length).toBeGreaterThan(0);
  const second = await watchedBackup(join(backups, 'second.backup'));
  const { milliseconds } = first;
  console.info(
    `a backup under load: ${milliseconds.toFixed(0)} ms, the server at ${first.most.toFixed(0)} MB; a second one: ${second.most.toFixed(0)} MB`,
  );
  expect(second.most - first.most).toBeLessThan(MOST_GROWTH_MEGABYTES);

  for (let round = 0; round < ROUNDS; round++) {
    const other = join(backups, `round-${round}.backup`);
    const backup = run(['backup', other], { env });
    await sleep(100 + (milliseconds * Math.random()) / 2);
    if (round % 2 === 0) {
      await backup.end('SIGKILL');
      // By chance it was done before: then it is whole.
      if (existsSync(other)) expect((await readFile(other)).length).toBeGreaterThan(1_000_000);
    } else {
      await server.end('SIGKILL');
      const ended = await backup.ended;
      if (ended.code !== 0) expect(existsSync(other)).toBe(false);
      expect(
        (await readdir(backups)).filter((name) => name.includes(`round-${round}`) && name.endsWith('.part')),
      ).toEqual([]);
      server = run(['start'], { env: settings });
      await server.says('Ready after');
    }
    await rm(other, { force: true });
  }

  const { summary } = takeApart(await readFile(file));
  const counts = Object.fromEntries(summary.tables.map(({ name, rows }) => [name, rows]));
  for (let round = 0; round < ROUNDS; round++) {
    const target = await createTestDatabase({ migrated: false });
    const GATEWRIGHT_DATA_DIR = join(folder, `restored-${round}`);
    const began = run(['restore', file], {
      env: { DATABASE_URL: target.url, GATEWRIGHT_SECRET: key, GATEWRIGHT_DATA_DIR },
    });
    await sleep(300 + Math.random() * 4_000);
    await began.end('SIGKILL');
    const connected = `select from pg_stat_activity where application_name = 'gatewright-restore' and datname = current_database()`;
    while ((await ask(target.url, connected)).length > 0) await sleep(50);
    const tables = await ask(target.url, `select relname from pg_class where relnamespace = 'public'::regnamespace`);
    if (tables.length > 0) expect(await countRows(target.url, Object.keys(counts))).toEqual(counts);
    else {
      const again = await runToEnd(['restore', file], {
        env: { DATABASE_URL: target.url, GATEWRIGHT_SECRET: key, GATEWRIGHT_DATA_DIR },
      });
      expect(again).toMatchObject({ code: 0 });
      expect(await countRows(target.url, Object.keys(counts))).toEqual(counts);
    }
    await target.drop();
  }
  expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
});

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
