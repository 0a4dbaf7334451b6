import { execFileSync } from 'node:child_process';
import { chmod, chown, cp, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startInProcess } from '../../../test/embedded-process.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { type Binaries, locateBinaries, packageRoot } from './binaries.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { chooseIdentity, type Way } from './identity.ts';

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('Started by root, the embedded PostgreSQL', () => {
  it('runs in a user namespace, although only root may enter the folders above', async () => {
    const dataDir = await closedFolder();
    const embedded = await start(dataDir, ['namespace']);
    expect(await answer(embedded.url)).toBe(1);
    expect((await stat(join(dataDir, 'pg'))).uid).toBe(0);
    const status = await readFile(`/proc/${embedded.pid}/status`, 'utf8');
    expect(status).toMatch(/^CapEff:\s*0+$/m);
  });

  it('runs as another account, although only root may enter the folders above', async () => {
    const dataDir = await closedFolder();
    const embedded = await start(dataDir, ['account']);
    expect(await answer(embedded.url)).toBe(1);
    const { uid } = await stat(join(dataDir, 'pg'));
    expect(uid).not.toBe(0);
    expect(await readFile(`/proc/${embedded.pid}/status`, 'utf8')).toMatch(
      new RegExp(`^Uid:\\s*${uid}\\s+${uid}\\s`, 'm'),
    );
  });

  it('keeps its data when the way to run it changes', async () => {
    const dataDir = await temporaryFolder();
    for (const ways of [['account'], ['namespace'], ['account']] satisfies Way[][]) {
      const embedded = await start(dataDir, ways);
      await answer(embedded.url, 'create table if not exists kept (n int)');
      await answer(embedded.url, 'insert into kept values (1)');
      await embedded.stop();
    }
    const last = await start(dataDir);
    expect(await answer(last.url, 'select count(*)::int as value from kept')).toBe(3);
  });

  it('names the ways out where none of them works', async () => {
    const closed = await closedFolder();
    await cp(
      join(packageRoot(`@embedded-postgres/${process.platform}-${process.arch}`), 'native'),
      join(closed, 'native'),
      {
        recursive: true,
        verbatimSymlinks: true,
      },
    );
    const native = join(closed, 'native/bin');
    const binaries: Binaries = { postgres: join(native, 'postgres'), initdb: join(native, 'initdb') };
    await expect(chooseIdentity(closed, binaries, ['account'])).rejects.toThrow(
      /started by root, and PostgreSQL refuses to run as root[\s\S]*as the account \w+: [\s\S]*EACCES[\s\S]*Ways out: .*ordinary user.*unshare.*DATABASE_URL/,
    );
    expect((await chooseIdentity(closed, binaries)).description).toBe('in a user namespace of its own (unshare)');
  });
});

describe.skipIf(!isRoot)('Started by an ordinary user, the embedded PostgreSQL', () => {
  it('runs as that user', async ({ skip }) => {
    const user = throwAwayUser();
    if (user === undefined) return skip('useradd is missing, or may not add a user');
    const { postgres } = await locateBinaries('/nowhere');
    if (!mayRun(postgres, user)) return skip('the checkout lies where only root may enter');
    const dataDir = join(await temporaryFolder(), 'data');
    await chmod(join(dataDir, '..'), 0o755);
    await mkdir(dataDir, { mode: 0o700 });
    await chown(dataDir, user.uid, user.gid);
    const server = await startInProcess(dataDir, user);
    expect(await answer(server.postgres.url)).toBe(1);
    expect((await stat(join(dataDir, 'pg'))).uid).toBe(user.uid);
    await server.end('SIGTERM');
    const asRoot = await start(dataDir);
    expect(await answer(asRoot.url)).toBe(1);
    expect((await stat(join(dataDir, 'pg'))).uid).toBe(user.uid);
  });
});

async function closedFolder(): Promise<string> {
  const folder = await temporaryFolder();
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  return folder;
}

async function start(dataDir: string, waysOfRoot: readonly Way[] = ['namespace', 'account']) {
  const embedded = await startEmbeddedPostgres({ dataDir, log: () => {}, waysOfRoot });
  onTestFinished(() => embedded.stop());
  return embedded;
}

async function answer(connectionString: string, sql = 'select 1 as value'): Promise<unknown> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows[0]?.value;
  } finally {
    await client.end();
  }
}

function throwAwayUser(): { uid: number; gid: number } | undefined {
  const name = `gwtest${process.pid}`;
  try {
    execFileSync('useradd', ['--no-create-home', '--user-group', name], { stdio: 'pipe' });
    onTestFinished(() => void execFileSync('userdel', [name], { stdio: 'pipe' }));
    const number = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
    return { uid: number('-u'), gid: number('-g') };
  } catch {
    return undefined;
  }
}

function mayRun(program: string, user: { uid: number; gid: number }): boolean {
  try {
    execFileSync(program, ['--version'], { ...user, cwd: '/', stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
