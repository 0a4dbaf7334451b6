import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startInProcess } from '../../../test/embedded-process.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { isAlive } from './pid-file.ts';

describe('The embedded PostgreSQL', () => {
  it('makes its cluster at the first start and keeps what was written for the second', async () => {
    const dataDir = await temporaryFolder();
    const first = await start(dataDir);
    await query(first.url, 'create table kept (word text)');
    await query(first.url, `insert into kept values ('ünï')`);
    await first.stop();
    const second = await start(dataDir);
    expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'ünï' }]);
    expect(second.adopted).toBe(false);
  });

  it('is UTF-8 with collation C.UTF-8, checks its pages, and waits for the disk', async () => {
    const { url } = await start(await temporaryFolder());
    const [row] = await query(
      url,
      `select datlocprovider as provider, datlocale as locale, pg_encoding_to_char(encoding) as encoding,
              current_setting('data_checksums') as checksums, current_setting('fsync') as fsync,
              current_setting('listen_addresses') as addresses, current_setting('is_superuser') as superuser
       from pg_database where datname = current_database()`,
    );
    expect(row).toEqual({
      provider: 'b',
      locale: 'C.UTF-8',
      encoding: 'UTF8',
      checksums: 'on',
      fsync: 'on',
      addresses: '',
      superuser: 'off',
    });
  });

  it('lets nobody in: its folders are 0700, and its roles have passwords', async () => {
    const dataDir = join(await temporaryFolder(), 'data');
    const embedded = await start(dataDir);
    const socketFolder = String(embedded.poolOptions.host);
    for (const folder of [dataDir, join(dataDir, 'pg'), socketFolder]) {
      expect((await stat(folder)).mode & 0o777, folder).toBe(0o700);
    }
    for (const user of ['gatewright', 'postgres']) {
      const client = new pg.Client({ ...embedded.poolOptions, user, password: 'guess' });
      await expect(client.connect()).rejects.toThrow('password authentication failed');
    }
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args', '-ww']);
    expect(stdout).not.toContain(String(embedded.poolOptions.password));
  });

  it('leaves no process and no socket folder when it stops', async () => {
    const embedded = await start(await temporaryFolder());
    const folder = String(embedded.poolOptions.host);
    await embedded.stop();
    expect(await isAlive(embedded.pid)).toBe(false);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });

  it('is taken over when its server was killed, and stops with the next one', async () => {
    const dataDir = await temporaryFolder();
    const killed = await startInProcess(dataDir);
    await killed.end('SIGKILL');
    expect(await isAlive(killed.postgres.pid)).toBe(true);
    await query(killed.postgres.url, 'create table kept as select 7 as number');
    const next = await start(dataDir);
    expect(next).toMatchObject({ adopted: true, pid: killed.postgres.pid });
    expect(await query(next.url, 'select number from kept')).toEqual([{ number: 7 }]);
    await next.stop();
    expect(await isAlive(next.pid)).toBe(false);
    await expect(stat(String(next.poolOptions.host))).rejects.toThrow('ENOENT');
  });

  it('is stopped and started again when its server was killed and its socket is gone', async () => {
    const dataDir = await temporaryFolder();
    const killed = await startInProcess(dataDir);
    await query(killed.postgres.url, 'create table kept as select 7 as number');
    await killed.end('SIGKILL');
    await rm(new URL(killed.postgres.url).searchParams.get('host') ?? '', { recursive: true });
    const next = await start(dataDir);
    expect(next.adopted).toBe(false);
    expect(await isAlive(killed.postgres.pid)).toBe(false);
    expect(await query(next.url, 'select number from kept')).toEqual([{ number: 7 }]);
  });

  it('starts anew beside the traces of one that was killed with its server', async () => {
    const dataDir = await temporaryFolder();
    const killed = await startInProcess(dataDir);
    await query(killed.postgres.url, 'create table kept as select 7 as number');
    await killed.end('SIGKILL');
    process.kill(killed.postgres.pid, 'SIGKILL');
    const next = await start(dataDir);
    expect(next.adopted).toBe(false);
    expect(await query(next.url, 'select number from kept')).toEqual([{ number: 7 }]);
    const left = new URL(killed.postgres.url).searchParams.get('host') ?? '';
    await expect(stat(left)).rejects.toThrow('ENOENT');
  });

  it('starts although another program has the pid of its dead predecessor', async () => {
    const dataDir = await temporaryFolder();
    await (await start(dataDir)).stop();
    const file = [process.ppid, join(dataDir, 'pg'), '1', '5432', '/nowhere', '', '', 'ready'].join('\n');
    await writeFile(join(dataDir, 'pg/postmaster.pid'), `${file}\n`, { mode: 0o600 });
    const next = await start(dataDir);
    expect(next.adopted).toBe(false);
    expect(await isAlive(process.ppid)).toBe(true);
  });

  it('makes its cluster again when a kill interrupted that', async () => {
    const dataDir = await temporaryFolder();
    await mkdir(join(dataDir, 'pg.init-0123/base'), { recursive: true });
    await writeFile(join(dataDir, 'pg.init-0123/PG_VERSION'), '18\n');
    const embedded = await start(dataDir);
    expect(await query(embedded.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('pg.init'))).toEqual([]);
  });

  it('refuses a folder that another live server uses, and names that server', async () => {
    const dataDir = await temporaryFolder();
    const other = await startInProcess(dataDir);
    onTestFinished(() => other.end('SIGTERM'));
    const refusal = `The data folder ${dataDir} is in use by another Gatewright (process ${other.pid}, started `;
    await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toThrow(refusal);
    expect(await query(other.postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('lets one of many servers that start at once have the folder', async () => {
    const dataDir = await temporaryFolder();
    const attempts = await Promise.allSettled([1, 2, 3].map(() => startInProcess(dataDir)));
    const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
    await Promise.all(winners.map(({ value }) => value.end('SIGTERM')));
    expect(winners).toHaveLength(1);
  });
});

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const embedded = await startEmbeddedPostgres({ dataDir, log: () => {} });
  onTestFinished(() => embedded.stop());
  return embedded;
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
