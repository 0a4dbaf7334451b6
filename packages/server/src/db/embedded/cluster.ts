import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import type { Identity } from './identity.ts';

const execute = promisify(execFile);
const SUPERUSER = 'postgres';
const PASSWORDS = 'gatewright-passwords.json';
const UNFINISHED = 'pg.init-';

export interface Passwords {
  readonly superuser: string;
  readonly application: string;
}

/** Makes the cluster in `<data>/pg` unless it is there. A kill in the middle leaves a folder that the next start removes. */
export async function ensureCluster(dataDir: string, binaries: Binaries, identity: Identity): Promise<boolean> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(UNFINISHED)) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  const folder = join(dataDir, 'pg');
  if (existsSync(folder)) return false;
  const unfinished = join(dataDir, `${UNFINISHED}${randomBytes(6).toString('hex')}`);
  await mkdir(unfinished, { mode: 0o700 });
  await initialize(unfinished, binaries, identity);
  await rename(join(unfinished, 'cluster'), folder);
  await sync(dataDir);
  await rm(unfinished, { recursive: true });
  return true;
}

export async function readPasswords(folder: string): Promise<Passwords> {
  const parsed: unknown = JSON.parse(await readFile(join(folder, PASSWORDS), 'utf8'));
  if (
    typeof parsed === 'object' &&
    parsed !== null &&
    'superuser' in parsed &&
    typeof parsed.superuser === 'string' &&
    'application' in parsed &&
    typeof parsed.application === 'string'
  ) {
    return { superuser: parsed.superuser, application: parsed.application };
  }
  throw new Error(`${join(folder, PASSWORDS)} holds no passwords.`);
}

async function initialize(folder: string, binaries: Binaries, identity: Identity): Promise<void> {
  const cluster = join(folder, 'cluster');
  await mkdir(cluster, { mode: 0o700 });
  const passwords = { superuser: randomBytes(32).toString('hex'), application: randomBytes(32).toString('hex') };
  const passwordFile = join(folder, 'superuser-password');
  await writeFile(passwordFile, passwords.superuser, { mode: 0o600 });
  const { file, args, ...user } = identity.command(binaries.initdb, [
    '--pgdata',
    cluster,
    '--username',
    SUPERUSER,
    '--pwfile',
    passwordFile,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
  ]);
  await execute(file, args, { ...user, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } });
  await rm(passwordFile);
  await writeFile(join(cluster, PASSWORDS), JSON.stringify(passwords), { mode: 0o600 });
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
