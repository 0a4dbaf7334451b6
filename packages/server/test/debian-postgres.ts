import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { chooseIdentity } from '../src/db/embedded/identity.ts';

const VERSIONS = '/usr/lib/postgresql';
const oldest = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(a) - Number(b))[0] : undefined;

/** Where Debian's oldest PostgreSQL is; undefined where none is installed. */
export const debianPostgres = oldest === undefined ? undefined : join(VERSIONS, oldest, 'bin');

/** A private cluster of it on a socket in a temporary folder; `newDatabase` answers the URL of an empty one. */
export async function startDebianPostgres(bin: string) {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'gw15-'));
  const cluster = join(folder, 'cluster');
  await mkdir(cluster, { mode: 0o700 });
  const identity = await chooseIdentity(folder, { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb') });
  await identity.own(folder);
  const command = (program: string) => identity.command(join(bin, program), cluster);
  const initdb = command('initdb');
  await promisify(execFile)(
    initdb.file,
    [...initdb.args, '-D', initdb.cluster, '-U', 'gatewright', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
    { ...initdb.user, cwd: cluster },
  );
  const postgres = command('postgres');
  const settings = [`unix_socket_directories=${folder}`, 'listen_addresses=', 'fsync=off'].flatMap((one) => [
    '-c',
    one,
  ]);
  const child = spawn(postgres.file, [...postgres.args, '-D', postgres.cluster, ...settings], {
    ...postgres.user,
    cwd: cluster,
    stdio: 'ignore',
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const urlOf = (name: string) => `postgres://gatewright@localhost:5432/${name}?host=${encodeURIComponent(folder)}`;
  await untilReady(urlOf('postgres'));
  let made = 0;
  return {
    async newDatabase(): Promise<string> {
      const name = `restored${made++}`;
      await asAdmin(urlOf('postgres'), `create database ${name} template template0`);
      return urlOf(name);
    },
    async stop(): Promise<void> {
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      await exited;
      process.off('exit', killWithUs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await asAdmin(url, 'select 1');
    } catch (cause) {
      if (attempt === 200) throw cause;
      await sleep(50);
    }
  }
}

async function asAdmin(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => {});
  }
}
