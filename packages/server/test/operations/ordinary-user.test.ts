import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logIn } from './calls.ts';
import { COMMAND, place, run } from './command.ts';

const isRoot = process.getuid?.() === 0;
/** An account that every machine has; initdb looks its user up. */
const DAEMON = { uid: 1, gid: 1 };

describe('gatewright start', () => {
  it.skipIf(!isRoot)('runs as an ordinary user in a folder that only that user can enter', async ({ skip }) => {
    if (!canRead(COMMAND)) return skip('the checkout lies where other users can not read it');
    const { folder, env } = await place();
    await chown(folder, DAEMON.uid, DAEMON.gid);
    await expectLogin(folder, { ...env, HOME: folder, NODE_COMPILE_CACHE: '' }, DAEMON);
  });

  it.skipIf(!isRoot)('runs as root, with its data below a folder that only root can enter', async () => {
    const { folder, env } = await place();
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await expectLogin(closed, { ...env, GATEWRIGHT_DATA_DIR: join(closed, 'data') }, {});
  });
});

async function expectLogin(folder: string, env: Record<string, string>, user: { uid?: number; gid?: number }) {
  await chmod(folder, 0o700);
  const server = run(['start'], { env, cwd: folder, ...user });
  await server.says('Ready after');
  const file = join(folder, 'data/first-run.json');
  const firstRun = JSON.parse(await readFile(file, 'utf8'));
  expect((await stat(file)).uid).toBe(user.uid ?? 0);
  expect(await logIn(firstRun.http_origin, firstRun)).toMatchObject({ status: 200 });
  expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
}

function canRead(file: string): boolean {
  try {
    execFileSync('cat', [file], { ...DAEMON, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
