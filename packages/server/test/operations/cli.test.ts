import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TRIGGER_IDS } from '../../src/actions/triggers.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { managementAt, tokenFor } from './calls.ts';
import { place, runToEnd } from './command.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.stop());

const gatewright = (...args: string[]) => runToEnd(args, { env: { GATEWRIGHT_DATA_DIR: server.dataDir } });

function at(name: string): string {
  return `http://${name}.localhost:${new URL(server.httpOrigin).port}`;
}

describe('gatewright', { timeout: 60_000 }, () => {
  it.each([
    [[], 'Usage: gatewright [options] [command]'],
    [['start'], 'Usage: gatewright start [options]'],
    [['tenant'], 'Usage: gatewright tenant [options] [command]'],
    [['tenant', 'set-environment'], 'Usage: gatewright tenant set-environment [options] <name> <environment>'],
    [['first-run', 'forget'], 'Usage: gatewright first-run forget [options]'],
    [['mails'], 'Usage: gatewright mails [options] [command]'],
    [['mails', 'show'], 'Usage: gatewright mails show [options] <id>'],
    [['rules', 'lint'], 'Usage: gatewright rules lint [options] <file...>'],
    [['rules', 'try'], 'Usage: gatewright rules try [options] <file...>'],
    [['actions', 'try'], 'Usage: gatewright actions try [options] <file>'],
    [['scripts', 'try'], 'Usage: gatewright scripts try [options] <file> [arguments...]'],
    [['logs', 'tail'], 'Usage: gatewright logs tail [options]'],
    [['backup'], 'Usage: gatewright backup [options] [file]'],
    [['restore'], 'Usage: gatewright restore [options] <file>'],
    [['keys', 'reset'], 'Usage: gatewright keys reset [options]'],
    [['admin', 'reset'], 'Usage: gatewright admin reset [options]'],
  ])('explains itself: %s --help', async (verbs, usage) => {
    const { code, printed } = await gatewright(...verbs, '--help');
    expect({ code, printed }).toEqual({ code: 0, printed: expect.stringContaining(usage) });
  });

  it('lists all triggers in the help of actions try', async () => {
    const { printed } = await gatewright('actions', 'try', '--help');
    for (const trigger of TRIGGER_IDS) expect(printed).toContain(trigger);
  });

  it('tells its version', async () => {
    expect(await gatewright('--version')).toEqual({ code: 0, printed: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['tenant', 'create', 'x', '--environment', 'moon'], /Allowed choices are development, staging, production/],
    [['start', '--nonsense'], /unknown option '--nonsense'/],
    [['keys', 'reset'], /gives up all that the lost key has sealed: .* say --yes/],
    [['restore', 'nowhere', '--log-epoch', 'x'], /It is a number from 1 to 999/],
    [['restore', '/nowhere/at/all'], /is in use by another Gatewright/],
  ])('says what is wrong with %s, and ends with 1', async (args, words) => {
    const { code, printed } = await gatewright(...args);
    expect({ code, printed }).toEqual({ code: 1, printed: expect.stringMatching(words) });
  });

  it('says so when no server runs', async () => {
    const { env, dataDir } = await place();
    expect(await runToEnd(['tenant', 'create', 'x', '--json'], { env })).toEqual({
      code: 1,
      printed: `gatewright: No server is running on ${dataDir}. Start it with "npm start", or name its folder with GATEWRIGHT_DATA_DIR.\n`,
    });
  });
});

describe('gatewright rules lint', { timeout: 60_000 }, () => {
  it('ends with 0 where it finds nothing, with 1 and the places where it does, and needs no server', async () => {
    const folder = await temporaryFolder();
    const [good, bad] = [join(folder, 'good.js'), join(folder, 'bad.js')];
    await writeFile(good, 'function (user, context, callback) { callback(null, user, context); }\n');
    await writeFile(bad, 'function (user, context, callback) {\n  if (user.email) callback(null);\n}\n');
    const { env } = await place();
    const lint = (...args: string[]) => runToEnd(['rules', 'lint', ...args], { env });
    expect(await lint(good)).toEqual({ code: 0, printed: '1 rule, 0 findings\n' });
    expect(await lint(good, bad)).toEqual({ code: 1, printed: expect.stringContaining(`${bad}:1:1  callback  `) });
    const { code, printed } = await lint('--json', bad);
    expect([code, JSON.parse(printed)]).toEqual([
      1,
      [{ file: bad, finding: 'callback', line: 1, column: 1, message: expect.any(String) }],
    ]);
    await writeFile(bad, 'function (user, context, callback) {\n  callback(null user);\n}\n');
    expect((await lint(bad)).printed).toContain(`${bad}:2:17  syntax  Unexpected token\n    callback(null user);\n`);
    expect(await lint('/nowhere.js')).toEqual({ code: 1, printed: "gatewright: /nowhere.js can't be read: ENOENT\n" });
  });
});

describe('gatewright tenant create', { timeout: 60_000 }, () => {
  it('prints the object of first-run.json, and the new tenant answers at its name', async () => {
    const { code, printed } = await gatewright('tenant', 'create', 'acme', '--json');
    expect({ code, printed }).toEqual({ code: 0, printed: expect.stringMatching(/^\{/) });
    const made = JSON.parse(printed);
    const port = new URL(server.origin).port;
    expect(Object.keys(made)).toEqual(Object.keys(server.firstRun));
    expect(made).toMatchObject({
      tenant: 'acme',
      origin: `https://acme.localhost:${port}`,
      http_origin: at('acme'),
      ca_file: server.caFile,
      management: { audience: `https://acme.localhost:${port}/api/v2/` },
    });
    const token = await tokenFor(at('acme'), made);
    expect(await managementAt(at('acme'), token)('GET', '/users')).toMatchObject({ status: 200 });
    // Its token opens nothing at the first tenant.
    expect(await managementAt(server.httpOrigin, token)('GET', '/users')).toMatchObject({ status: 401 });

    // Production, unless said otherwise: the SPA client has no address on every port, and gets none.
    const api = managementAt(at('acme'), token);
    const spa = `/clients/${made.spa_client.client_id}`;
    expect(await api('PATCH', spa, { callbacks: ['http://localhost:*'] })).toMatchObject({ status: 400 });
    expect(await gatewright('tenant', 'set-environment', 'acme', 'development')).toEqual({
      code: 0,
      printed: "The tenant 'acme' is now tagged development.\n",
    });
    expect(await api('PATCH', spa, { callbacks: ['http://localhost:*'] })).toMatchObject({ status: 200 });
  });

  it.each([
    ['dev', "gatewright: The tenant 'dev' exists already.\n"],
    ['Acme', "gatewright: 'Acme' is no tenant name"],
  ])('refuses the name %j', async (name, words) => {
    const { code, printed } = await gatewright('tenant', 'create', name);
    expect({ code, printed }).toEqual({ code: 1, printed: expect.stringContaining(words) });
  });

  it('refuses an environment that it does not know, and a tenant that is not there', async () => {
    expect(await gatewright('tenant', 'set-environment', 'dev', 'moon')).toEqual({
      code: 1,
      printed: "gatewright: 'moon' is no environment: use development, staging or production.\n",
    });
    expect(await gatewright('tenant', 'set-environment', 'nobody', 'staging')).toEqual({
      code: 1,
      printed: "gatewright: There is no tenant 'nobody'.\n",
    });
  });
});

describe('gatewright admin reset', { timeout: 60_000 }, () => {
  it('prints the new password once, of the default tenant unless another is named', async () => {
    const { code, printed } = await gatewright('admin', 'reset', '--json');
    expect({ code, printed }).toEqual({ code: 0, printed: expect.stringMatching(/^\{"tenant":"dev"/) });
    expect(JSON.parse(printed)).toEqual({
      tenant: 'dev',
      email: server.firstRun.admin.email,
      password: expect.stringMatching(/^[\w-]{20}$/),
    });
    expect(server.log()).not.toContain(JSON.parse(printed).password);
    expect(await gatewright('admin', 'reset', '--tenant', 'nobody')).toEqual({
      code: 1,
      printed: "gatewright: There is no tenant 'nobody'.\n",
    });
  });
});

describe('gatewright first-run forget', () => {
  it('deletes the secrets, once, and a restart does not bring them back', async () => {
    expect(await gatewright('first-run', 'forget', '--json')).toEqual({ code: 0, printed: '{"forgotten":true}\n' });
    expect(await gatewright('first-run', 'forget')).toEqual({ code: 0, printed: 'There was no first-run.json.\n' });
    await expect(readFile(join(server.dataDir, 'first-run.json'))).rejects.toThrow('ENOENT');
  });
});

describe('gatewright mails', { timeout: 60_000 }, () => {
  it('lists the mails of a tenant and shows one with its link', async () => {
    expect(await gatewright('mails', '--tenant', 'nobody')).toMatchObject({ code: 1 });
    expect(await gatewright('mails', 'show', 'latest')).toEqual({
      code: 1,
      printed: "gatewright: The tenant 'dev' has no mails yet.\n",
    });
    const { firstRun, origin } = server;
    await fetch(`${server.httpOrigin}/dbconnections/change_password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: firstRun.spa_client.client_id,
        connection: firstRun.connection,
        email: firstRun.user.email,
      }),
    });
    const listed = await gatewright('mails', '--json');
    const [mail] = JSON.parse(listed.printed);
    expect(mail).toMatchObject({ template: 'reset_email', to: firstRun.user.email, status: 'stored' });
    const table = await gatewright('mails');
    expect(table).toEqual({ code: 0, printed: expect.stringContaining(`${mail.id}  `) });
    for (const id of [mail.id, 'latest']) {
      const shown = await gatewright('mails', 'show', id);
      expect(shown).toEqual({ code: 0, printed: expect.stringContaining(`\n${origin}/u/reset-verify?ticket=`) });
    }
    const { html, text } = JSON.parse((await gatewright('mails', 'show', mail.id, '--json')).printed);
    expect([html, text]).toEqual([expect.stringContaining('<!doctype html>'), expect.stringContaining(origin)]);
    expect(await gatewright('mails', 'show', 'mail_unknown')).toEqual({
      code: 1,
      printed: "gatewright: There is no mail 'mail_unknown'.\n",
    });
  });
});
