import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../free-ports.ts';
import { managementAt, tokenFor } from './calls.ts';
import { COMMAND, type CommandOptions, environment, otherNode, place, run, runToEnd } from './command.ts';
import { walk } from './files.ts';

describe('gatewright start', () => {
  it('starts under any Node, says how to log in, keeps all to its user, and comes back on other ports', async () => {
    const { dataDir, env, http, https } = await place();
    const first = run(['start'], { env: { ...env, NODE_COMPILE_CACHE: '' }, ...(otherNode && { node: otherNode }) });
    await first.says('Ready after');
    expect(first.printed()).toContain(
      'Log in as user@dev.example.com; the password and all client ids and secrets are',
    );
    const file = join(dataDir, 'first-run.json');
    const firstRun = JSON.parse(await readFile(file, 'utf8'));
    expect(firstRun).toEqual({
      tenant: 'dev',
      origin: `https://localhost:${https}`,
      http_origin: `http://localhost:${http}`,
      ca_file: join(dataDir, 'tls/ca.pem'),
      management: {
        client_id: expect.stringMatching(/^\w{32}$/),
        client_secret: expect.stringMatching(/^[\w-]{64}$/),
        audience: `https://localhost:${https}/api/v2/`,
      },
      admin: { email: 'admin@dev.example.com', password: expect.stringMatching(/^[\w-]{20}$/) },
      password_client: {
        client_id: expect.stringMatching(/^\w{32}$/),
        client_secret: expect.stringMatching(/^[\w-]{64}$/),
      },
      spa_client: { client_id: expect.stringMatching(/^\w{32}$/) },
      user: { email: 'user@dev.example.com', password: expect.stringMatching(/^[\w-]{20}$/) },
      connection: 'Username-Password-Authentication',
      api: { identifier: 'https://api.example.com/', scopes: ['read:items', 'write:items'] },
    });
    for (const { path, mode, isFolder } of await walk(dataDir, 'pg')) {
      expect({ path, mode: mode.toString(8) }).toEqual({ path, mode: isFolder ? '700' : '600' });
    }
    const token = await tokenFor(firstRun.http_origin, firstRun);
    expect(await first.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(first.printed()).toContain('Stopped.');

    const again = await freePorts();
    const second = run(['start'], { env: environment(dataDir, ...again) });
    await second.says('Ready after');
    const rewritten = JSON.parse(await readFile(file, 'utf8'));
    expect(rewritten).toEqual({
      ...firstRun,
      origin: `https://localhost:${again[1]}`,
      http_origin: `http://localhost:${again[0]}`,
      management: { ...firstRun.management, audience: `https://localhost:${again[1]}/api/v2/` },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await managementAt(rewritten.http_origin, token)('GET', '/clients')).toMatchObject({ status: 200 });
    // An audience with a port of the past is still this tenant's.
    expect(await tokenFor(rewritten.http_origin, firstRun)).toMatch(/^eyJ/);

    expect((await runToEnd(['start'], { env: { ...env, PORT: '0', HTTPS_PORT: '0' } })).printed).toMatch(
      /The data folder .* is in use by another Gatewright \(process \d+, started .*\)\. Stop that one first/,
    );
    expect(await second.end('SIGINT')).toMatchObject({ code: 0 });
  });

  it('can be stopped at any moment of its start', async () => {
    const { env } = await place();
    for (const word of ['Made a PostgreSQL cluster', 'Starting PostgreSQL']) {
      const server = run(['start'], { env });
      await server.says(word);
      expect({ word, ...(await server.end('SIGTERM')) }).toMatchObject({ word, code: 0 });
    }
    const server = run(['start'], { env });
    await server.says('Ready after');
    expect(server.printed()).not.toContain('Took over the PostgreSQL');
    expect(await server.end('SIGINT')).toMatchObject({ code: 0 });
  });

  it.skipIf(otherNode === undefined)('names the Node that it needs where npm ci did not bring it', async () => {
    const { folder } = await place();
    const { code, printed } = await runCopyWithoutNode(folder, otherNode ? { node: otherNode } : {});
    expect(code).toBe(1);
    expect(printed).toMatch(
      /Node 26\.10 or newer is needed, this is v\d+\.\d+\.\d+\.\n {2}Run "npm ci" in the checkout/,
    );
  });

  it.each([
    ['25.9.0', false],
    ['26.9.9', false],
    ['26.10.0', true],
    ['27.0.0', true],
  ])('counts the minor version of Node as well: %s', async (version, isNewEnough) => {
    const { folder } = await place();
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
    const { printed } = await runCopyWithoutNode(folder, {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` },
    });
    // The copy has no server beside it, which is as far as the right Node gets.
    expect(printed).toContain(isNewEnough ? 'ERR_MODULE_NOT_FOUND' : 'Node 26.10 or newer is needed');
  });
});

async function runCopyWithoutNode(folder: string, options: CommandOptions = {}) {
  const command = join(folder, 'bin/gatewright.mjs');
  await mkdir(join(folder, 'bin'));
  await copyFile(COMMAND, command);
  return runToEnd(['start'], { ...options, command });
}
