import { type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Binaries, environment } from './binaries.ts';
import { startFailure } from './failure.ts';
import type { Identity } from './identity.ts';

const MAJOR_VERSION = '18';
const UNFINISHED = 'pg.init-';

/**
 * Makes the cluster in `<data>/pg` unless it is there; tells whether it did. A kill in the middle leaves a folder of
 * another name, which the next start removes.
 */
export async function ensureCluster(
  dataDir: string,
  { binaries, identity, superuserPassword }: { binaries: Binaries; identity: Identity; superuserPassword: string },
): Promise<boolean> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(UNFINISHED)) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  const folder = join(dataDir, 'pg');
  if (await isThere(folder)) return false;
  const unfinished = join(dataDir, `${UNFINISHED}${randomBytes(6).toString('hex')}`);
  await mkdir(unfinished, { mode: 0o700 });
  await identity.own(unfinished);
  try {
    await initialize(unfinished, superuserPassword, binaries, identity);
    await rename(unfinished, folder);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true });
    throw cause;
  }
  await syncFolder(dataDir);
  return true;
}

/** Refuses a folder that is no cluster of ours, before PostgreSQL does so in its own words. */
async function isThere(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  });
  if (names.length === 0) return false;
  const version = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) {
    throw new Error(
      `${folder} is not an intact PostgreSQL cluster: its file PG_VERSION is missing. Move the folder away (keep it) and restore a backup, or start on an empty data folder with GATEWRIGHT_DATA_DIR.`,
    );
  }
  if (version.trim() !== MAJOR_VERSION) {
    throw new Error(
      `${folder} was made by PostgreSQL ${version.trim()}, and this Gatewright brings PostgreSQL ${MAJOR_VERSION}. Start the Gatewright that made it, take a backup with \`gatewright backup\`, and restore that into an empty data folder here.`,
    );
  }
  return true;
}

async function initialize(folder: string, password: string, binaries: Binaries, identity: Identity): Promise<void> {
  const { file, args, cluster, user } = identity.command(binaries.initdb, folder);
  const input = await secretInput(`${folder}.password`, password, identity);
  try {
    await run(file, {
      args: [
        ...args,
        `--pgdata=${cluster}`,
        '--username=postgres',
        '--pwfile=/dev/stdin',
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
      ],
      options: { ...user, cwd: folder, env: environment(binaries), stdio: [input.fd, 'ignore', 'pipe'] },
    });
  } finally {
    await input.close();
  }
}

/** A file without a name: the password stands on no command line, and a kill leaves nothing behind. */
async function secretInput(path: string, secret: string, identity: Identity): Promise<FileHandle> {
  const handle = await open(path, 'wx+', 0o600);
  await identity.own(path);
  await unlink(path);
  await handle.write(`${secret}\n`, 0);
  return handle;
}

function run(
  file: string,
  { args, options }: { args: string[]; options: SpawnOptions & { cwd: string } },
): Promise<void> {
  const child = spawn(file, args, options);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-8_192);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(startFailure(options.cwd, new Error(`initdb ended with ${signal ?? `exit code ${code}`}`), said));
    });
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
