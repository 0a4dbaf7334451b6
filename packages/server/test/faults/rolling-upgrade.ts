import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FirstRun } from '../../src/tenants/first-run.ts';
import { ask } from '../backup-files.ts';
import { call, logIn } from '../operations/calls.ts';
import { place, run } from '../operations/command.ts';
import { expectNothingLost, startTraffic } from '../operations/traffic.ts';
import { createTestDatabase } from '../test-database.ts';

const REPOSITORY = join(import.meta.dirname, '../../../..');
/** The last commit of the first version: its schema ends at migration 15. */
const FIRST_VERSION = 'e6c602a';
const hasHistory = (() => {
  try {
    execFileSync('git', ['cat-file', '-e', `${FIRST_VERSION}^{commit}`], { cwd: REPOSITORY, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasHistory)('a rolling upgrade from the first version, under load', { timeout: 600_000 }, () => {
  it('fails no login, no refresh and no session: the old server serves on beside the new one', async () => {
    const database = await createTestDatabase({ migrated: false });
    onTestFinished(() => database.drop());
    const old = await place();
    const env = { DATABASE_URL: database.url, GATEWRIGHT_BOOTSTRAP: '1', HTTPS_PORT: '0' };
    const before = run(['start'], { env: { ...old.env, ...env }, command: await oldCommand() });
    await before.says('Ready after');
    const firstRun = JSON.parse(await readFile(join(old.dataDir, 'first-run.json'), 'utf8'));
    const origin: string = firstRun.http_origin;
    const session = await logIn(origin, firstRun);
    expect(session.status).toBe(200);
    const traffic = await startTraffic(origin, firstRun, 'upgrade');
    const probe = startProbe(origin, firstRun);
    await sleep(1_000);

    const next = await place();
    await mkdir(next.dataDir, { mode: 0o700 });
    await copyFile(join(old.dataDir, 'secret.key'), join(next.dataDir, 'secret.key'));
    const after = run(['start'], { env: { ...next.env, ...env, GATEWRIGHT_ORIGIN: origin } });
    await after.says('Ready after');
    const [migrated] = await ask<{ latest: number }>(
      database.url,
      'select max(number) as latest from schema_migrations',
    );
    expect(Number(migrated?.latest)).toBeGreaterThan(15);

    // The old one on the new schema, for a while; then what it acknowledged, asked of both.
    const until = traffic.acknowledged.logins.length + 10;
    while (traffic.acknowledged.logins.length < until) await sleep(50);
    await traffic.stop();
    const answers = await probe.stop();
    expect(answers.length).toBeGreaterThan(20);
    expect(answers.filter((answer) => answer !== 'login 200' && answer !== 'refresh 200')).toEqual([]);
    await expectNothingLost(origin, firstRun, traffic.acknowledged);

    // Its refresh tokens at the new one, and the new one's back at the old one.
    const { hostname, port } = new URL(origin);
    const atNew = (form: Record<string, string>) =>
      call(`http://${hostname}:${next.http}`, '/oauth/token', { form, headers: { host: `${hostname}:${port}` } });
    const client = { grant_type: 'refresh_token', ...firstRun.password_client };
    const renewed = await atNew({ ...client, refresh_token: traffic.acknowledged.refreshToken });
    expect(renewed).toMatchObject({ status: 200 });
    const again = await call(origin, '/oauth/token', {
      form: { ...client, refresh_token: String(renewed.body.refresh_token) },
    });
    expect(again).toMatchObject({ status: 200 });
    expect(await atNew({ ...client, refresh_token: String(session.body.refresh_token) })).toMatchObject({
      status: 200,
    });

    expect(await before.end('SIGTERM')).toMatchObject({ code: 0 });
    // The first version did not know that a schema may grow: it says so, and changes nothing.
    const rolledBack = run(['start'], { env: { ...old.env, ...env }, command: await oldCommand() });
    expect(await rolledBack.ended).toMatchObject({ code: 1 });
    expect(rolledBack.printed()).toContain('written by a newer Gatewright');
    expect(await after.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('and back: this version starts on a schema of the next one that only grew', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    await ask(
      database.url,
      `alter table users add column of_the_next_version text;
       insert into schema_migrations (number, name, expands) values (9001, '9001_grown.sql', true)`,
    );
    const { env, dataDir } = await place();
    const server = run(['start'], { env: { ...env, DATABASE_URL: database.url, GATEWRIGHT_BOOTSTRAP: '1' } });
    await server.says('Ready after');
    expect(server.printed()).toContain('A newer Gatewright has been at this database (9001_grown.sql)');
    const firstRun = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
    expect((await logIn(firstRun.http_origin, firstRun)).status).toBe(200);
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});

/** A login and a refresh of its token, again and again: what each was answered. */
function startProbe(origin: string, firstRun: FirstRun) {
  const answers: string[] = [];
  let isOver = false;
  const work = (async () => {
    while (!isOver) {
      const login = await logIn(origin, firstRun);
      answers.push(`login ${login.status}`);
      const form = {
        grant_type: 'refresh_token',
        refresh_token: String(login.body.refresh_token),
        ...firstRun.password_client,
      };
      answers.push(`refresh ${(await call(origin, '/oauth/token', { form })).status}`);
    }
  })();
  return {
    async stop(): Promise<string[]> {
      isOver = true;
      await work;
      return answers;
    },
  };
}

/** The old sources beside the dependencies of today, which they ran with as well. */
async function oldCommand(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewright-old-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const archive = execFileSync('git', ['archive', FIRST_VERSION, 'packages/server', 'package.json'], {
    cwd: REPOSITORY,
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'packages/server/bin/gatewright.mjs');
}
