import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, countRows, takeApart } from '../backup-files.ts';
import { debianPostgres, startDebianPostgres } from '../debian-postgres.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { managementAt, tokenFor } from './calls.ts';
import { COMMAND, place, run, runToEnd } from './command.ts';

/** Enough that a backup, and a restore, take their time. */
const MANY_EVENTS = `insert into log_events (tenant_id, type, body) select 'dev', 'seccft', jsonb_build_object('noise',
  (select string_agg(md5(random()::text || m || n), '') from generate_series(1, 20) m)) from generate_series(1, 30000) n`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterAll(() => database.drop());

describe('gatewright backup and restore', { timeout: 240_000 }, () => {
  it('carry an installation to a new machine, and to another PostgreSQL; interrupted they leave nothing', async () => {
    const { env, dataDir, folder } = await place();
    const server = run(['start'], { env: { ...env, DATABASE_URL: database.url, GATEWRIGHT_BOOTSTRAP: '1' } });
    await server.says('Ready after');
    await ask(database.url, MANY_EVENTS);
    const backups = join(folder, 'backups');
    const file = join(backups, 'all.backup');

    // Ctrl+C, and a kill that nobody can clean up behind, while it is written.
    const stopped = run(['backup', file], { env });
    await untilDraft(backups);
    expect(await stopped.end('SIGINT')).toMatchObject({ code: 1 });
    expect(stopped.printed()).toBe(`gatewright: Stopped; ${file} was not written.\n`);
    expect(await readdir(backups)).toEqual([]);
    const killed = run(['backup', file], { env });
    await untilDraft(backups);
    await killed.end('SIGKILL');
    expect(existsSync(file)).toBe(false);
    await untilNobodyBacksUp();

    // No room: in a file, and at the end of a pipe.
    const full = await runToEnd(['-c', `ulimit -f 100; exec "${process.execPath}" "${COMMAND}" backup "${file}"`], {
      env,
      node: '/bin/sh',
      command: '-e',
    });
    expect(full).toEqual({ code: 1, printed: expect.stringContaining('There is no room for the backup at') });
    const pipe = await runToEnd(['-c', `"${process.execPath}" "${COMMAND}" backup - > /dev/full`], {
      env,
      node: '/bin/sh',
      command: '-e',
    });
    expect(pipe).toEqual({ code: 1, printed: expect.stringContaining('(ENOSPC)') });
    expect(existsSync(file)).toBe(false);

    const done = await runToEnd(['backup', file, '--json'], { env });
    expect(done).toEqual({ code: 0, printed: expect.stringMatching(/^\{"file":/) });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await runToEnd(['backup', file], { env })).toEqual({
      code: 1,
      printed: `gatewright: ${file} is there already: name another file, or say --overwrite.\n`,
    });

    // The key, the certificate authority and the first run's secrets stay where they are.
    const content = await readFile(file);
    const { body, summary } = takeApart(content);
    const key = (await readFile(join(dataDir, 'secret.key'), 'utf8')).trim();
    const firstRun = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
    const text = body.toString('latin1') + content.subarray(0, 20_000).toString('latin1');
    const authority = (await readdir(join(dataDir, 'tls')).catch(() => [])).filter((name) => name.endsWith('key.pem'));
    const secrets = [key, firstRun.admin.password, firstRun.user.password, firstRun.management.client_secret];
    for (const name of authority) secrets.push((await readFile(join(dataDir, 'tls', name), 'utf8')).slice(40, 90));
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);

    // Not where a server runs.
    const occupied = await runToEnd(['restore', file], { env: { ...env, DATABASE_URL: database.url } });
    expect(occupied).toEqual({ code: 1, printed: expect.stringContaining('is in use by another Gatewright (process') });
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });

    const names = summary.tables.map(({ name }) => name);
    const counts = Object.fromEntries(summary.tables.map(({ name, rows }) => [name, rows]));

    // Into the embedded PostgreSQL of a new machine.
    const other = await place();
    await mkdir(other.dataDir, { mode: 0o700 });
    await copyFile(join(dataDir, 'secret.key'), join(other.dataDir, 'secret.key'));
    const restored = await runToEnd(['restore', file], { env: other.env });
    expect(restored).toEqual({ code: 0, printed: expect.stringMatching(/^Restored \d+ rows of \d+ tables, as of /) });
    const second = run(['start'], { env: other.env });
    await second.says('Ready after');
    const origin = `http://localhost:${other.http}`;
    const moved = { ...firstRun, management: { ...firstRun.management, audience: `${origin}/api/v2/` } };
    const api = managementAt(origin, await tokenFor(origin, moved));
    expect(await api('GET', '/users')).toMatchObject({ status: 200 });
    const again = join(folder, 'again.backup');
    expect(await runToEnd(['backup', again], { env: other.env })).toMatchObject({ code: 0 });
    const fromEmbedded = takeApart(await readFile(again));
    expect(fromEmbedded.header.epoch).toBe(1);
    // What the request just now left: its event, and its place in the rate limit; and the counts of events, which come by and by.
    const moving = new Set(['log_events', 'rate_buckets', 'log_rollups']);
    const kept = fromEmbedded.summary.tables.filter(({ name }) => !moving.has(name));
    expect(Object.fromEntries(kept.map(({ name, rows }) => [name, rows]))).toEqual(
      Object.fromEntries(kept.map(({ name }) => [name, counts[name]])),
    );
    expect(await second.end('SIGTERM')).toMatchObject({ code: 0 });

    // Killed in the middle of a restore: the database is empty, and the next one fills it.
    const target = await createTestDatabase({ migrated: false });
    const secret = { GATEWRIGHT_SECRET: key, DATABASE_URL: target.url, GATEWRIGHT_DATA_DIR: join(folder, 'third') };
    const broken = run(['restore', file], { env: secret });
    await untilRestoring(target.url);
    await broken.end('SIGKILL');
    expect(await ask(target.url, `select relname from pg_class where relnamespace = 'public'::regnamespace`)).toEqual(
      [],
    );
    await untilGone(target.url);
    expect(await runToEnd(['restore', file], { env: secret })).toMatchObject({ code: 0 });
    expect(await countRows(target.url, names)).toEqual(counts);
    await target.drop();
  });
});

describe.skipIf(!debianPostgres)('between majors of PostgreSQL', { timeout: 240_000 }, () => {
  it('a backup goes from the newest to the oldest, and back', async () => {
    const debian = await startDebianPostgres(debianPostgres ?? '');
    try {
      const { env, dataDir, folder } = await place();
      const server = run(['start'], { env });
      await server.says('Ready after');
      const first = join(folder, 'first.backup');
      expect(await runToEnd(['backup', first], { env })).toMatchObject({ code: 0 });
      const firstRun = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
      expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
      const GATEWRIGHT_SECRET = (await readFile(join(dataDir, 'secret.key'), 'utf8')).trim();

      const old = await place();
      const onOld = { ...old.env, GATEWRIGHT_SECRET, DATABASE_URL: await debian.newDatabase() };
      expect(await runToEnd(['restore', first], { env: onOld })).toMatchObject({ code: 0 });
      const there = run(['start'], { env: onOld });
      await there.says('Ready after');
      const origin = `http://localhost:${old.http}`;
      const moved = { ...firstRun, management: { ...firstRun.management, audience: `${origin}/api/v2/` } };
      expect(await tokenFor(origin, moved)).toBeTruthy();
      const second = join(folder, 'second.backup');
      expect(await runToEnd(['backup', second], { env: onOld })).toMatchObject({ code: 0 });
      expect(await there.end('SIGTERM')).toMatchObject({ code: 0 });

      const back = await place();
      const restored = await runToEnd(['restore', second], { env: { ...back.env, GATEWRIGHT_SECRET } });
      expect(restored).toMatchObject({ code: 0 });
      expect(takeApart(await readFile(second)).header).toMatchObject({
        postgres: expect.stringMatching(/^1[5-7]/),
        epoch: 1,
      });
    } finally {
      await debian.stop();
    }
  });
});

async function untilDraft(folder: string): Promise<void> {
  for (;;) {
    const names = await readdir(folder).catch(() => []);
    if (names.some((name) => name.endsWith('.part'))) return;
    await sleep(2);
  }
}

const connected = (url: string, name: string) =>
  ask<{ query: string }>(
    url,
    `select query from pg_stat_activity where application_name = '${name}' and datname = current_database()`,
  );

async function untilNobodyBacksUp(): Promise<void> {
  while ((await connected(database.url, 'gatewright-backup')).length > 0) await sleep(20);
}

async function untilRestoring(url: string): Promise<void> {
  while (!(await connected(url, 'gatewright-restore')).some(({ query }) => query.startsWith('copy "log_events"')))
    await sleep(2);
}

async function untilGone(url: string): Promise<void> {
  while ((await connected(url, 'gatewright-restore')).length > 0) await sleep(20);
}
