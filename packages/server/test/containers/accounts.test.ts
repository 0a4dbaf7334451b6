import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { chooseAccount } from '../../src/containers/launch/choose-account.ts';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, 'one-execution.ts');

/** One execution by a server that somebody else has started. */
async function executeAs(prefix: readonly string[]): Promise<{ outcome: object; status: string }> {
  const [file = '', ...args] = [...prefix, process.execPath, PROGRAM];
  const { stdout } = await run(file, args, { cwd: '/', env: { PATH: process.env.PATH }, timeout: 60_000 });
  return JSON.parse(stdout);
}

async function mayRun(prefix: readonly string[], program: string, ...args: string[]): Promise<boolean> {
  const [file = '', ...rest] = [...prefix, program, ...args];
  return run(file, rest, { cwd: '/' }).then(
    () => true,
    () => false,
  );
}

const RUNS = { ok: true, result: { user: { read: false } } };

it('a server that is root and may be nobody else runs tenant code as nobody in a namespace, without a right', async ({
  skip,
}) => {
  // Root of a namespace with one account: as in a container that was given no others.
  const prefix = ['/usr/bin/unshare', '--user', '--map-root-user', '--'];
  if (!existsSync('/usr/bin/unshare') || !(await mayRun(prefix, '/bin/true'))) return skip('no user namespaces here');
  const { outcome, status } = await executeAs(prefix);
  expect(outcome).toMatchObject(RUNS);
  expect(status).toMatch(/^CapEff:\s*0+$/m);
  expect(status).toMatch(/^CapPrm:\s*0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
});

it('a server that is not root runs tenant code as itself, behind the same limits', async ({ skip }) => {
  if (process.getuid?.() !== 0) return skip('every other test shows it');
  const prefix = ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  if (!existsSync('/usr/bin/setpriv') || !(await mayRun(prefix, '/bin/cat', PROGRAM)))
    return skip('only root may enter this checkout');
  const { outcome, status } = await executeAs(prefix);
  expect(outcome).toMatchObject(RUNS);
  expect(status).toMatch(/^Uid:\s*65534\s+65534\s+65534\s+65534$/m);
  expect(status).toMatch(/^CapEff:\s*0+$/m);
});

it('tenant code never runs as root: where neither way is open, it is refused with the ways out', async ({ skip }) => {
  if (process.getuid?.() !== 0) return skip('only root has the choice');
  expect((await chooseAccount('/usr/bin/unshare')).kind).toMatch(/^(?:other|namespace)$/);
  const { code, stderr } = await run(
    '/usr/bin/unshare',
    ['--user', '--map-root-user', '--', process.execPath, '-e', REFUSED],
    {
      cwd: import.meta.dirname,
    },
  ).then(
    () => ({ code: 0, stderr: '' }),
    (cause: { code: number; stderr: string }) => cause,
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/never runs as root.*CAP_SETUID/);
});

/** As on a machine without the program unshare. */
const REFUSED = `import('../../src/containers/launch/choose-account.ts').then(({ chooseAccount }) => chooseAccount(undefined));`;
