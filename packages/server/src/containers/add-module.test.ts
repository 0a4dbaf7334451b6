import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { probe, startContainers } from '../../test/containers/harness.ts';
import { addedModulesFolder, MODULE_STORE } from './module-folders.ts';

const run = promisify(execFile);
const data = await mkdtemp(join(tmpdir(), 'gatewright-modules-'));
afterAll(() => rm(data, { recursive: true, force: true }));
const registry = await startRegistry();
const COMMAND = join(import.meta.dirname, '../../bin/gatewright.mjs');

/** `gatewright modules …` as an operator calls it, with a registry of our own. */
async function modules(...args: string[]): Promise<string> {
  const { stdout } = await run(COMMAND, ['modules', ...args], {
    env: { PATH: process.env.PATH, HOME: data, GATEWRIGHT_DATA_DIR: data, npm_config_registry: registry },
  });
  return stdout;
}

const refusal = (...args: string[]) => modules(...args).then(String, (cause) => String(cause.stderr));

describe('gatewright modules', () => {
  const { execute } = startContainers({ moduleStore: MODULE_STORE, addedModules: addedModulesFolder(data) });
  const answer = async (name: string) => {
    const outcome = await execute(probe(`return require('${name}')`));
    return Reflect.get(Object(outcome), 'result')?.user.out;
  };

  it('adds a module, and the next container has it', async () => {
    expect(await answer('greeting@1.0.0')).toMatch(/^ERROR Error: Cannot find module 'greeting@1.0.0'/);
    const said = JSON.parse(await modules('add', 'greeting@1.0.0', '--json'));
    expect(said).toMatchObject({ name: 'greeting', version: '1.0.0', default: true, already: false, packages: 1 });
    expect(said.native).toEqual(['greeting']);
    const { execute: fresh } = second;
    expect(await fresh(probe(`return [require('greeting@1.0.0'), require('greeting')]`))).toMatchObject({
      result: { user: { out: ['hello 1.0.0', 'hello 1.0.0'] } },
    });
  });

  const second = startContainers({ moduleStore: MODULE_STORE, addedModules: addedModulesFolder(data) });

  it('runs no script of what it installs, and leaves nothing half-done', async () => {
    const folder = addedModulesFolder(data);
    expect(await readdir(folder)).toEqual(['greeting@1.0.0']);
    expect(await readdir(join(folder, 'greeting@1.0.0/node_modules/greeting'))).not.toContain('a-script-ran');
  });

  it('makes a version the default one, and takes it back with it', async () => {
    expect(await modules('add', 'greeting@2.0.0')).toContain("require('greeting@2.0.0') gets it.");
    expect(await modules('add', 'greeting@2.0.0', '--default')).toContain("require('greeting') gets it.");
    expect(await modules('ls')).toMatch(/^greeting +2\.0\.0 \(added\), 1\.0\.0 \(added\)$/m);
    const third = await modules('ls', '--json');
    expect(JSON.parse(third)).toContainEqual({ name: 'greeting', version: '2.0.0', default: true, added: true });
    expect(await modules('remove', 'greeting@2.0.0')).toBe('greeting@2.0.0 is removed.\n');
    expect(await modules('ls')).toMatch(/^greeting +1\.0\.0 \(added\)$/m);
    expect(await readFile(join(addedModulesFolder(data), 'defaults.json'), 'utf8')).toBe('{}');
  });

  it('lists ours, the default version first', async () => {
    expect(await modules()).toMatch(/^lodash +4\.17\.21, 2\.4\.1, 3\.10\.1, 4\.17\.19$/m);
  });

  it.each([
    'greeting',
    'greeting@^1.0.0',
    'greeting@latest',
    '../x@1.0.0',
    '@a/../b@1.0.0',
    '-g@1.0.0',
    'Greeting@1.0.0',
  ])('refuses %j: one exact version', async (given) => {
    expect(await refusal('add', '--', given)).toContain('Name one version of one module: lodash@4.17.21');
  });

  it('says what npm said where there is no such version, and adds nothing', async () => {
    expect(await refusal('add', 'greeting@9.9.9')).toContain('npm could not install the module');
    expect((await readdir(addedModulesFolder(data))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('removes what was added, not ours', async () => {
    expect(await refusal('remove', 'lodash@4.17.21')).toContain('This version of the module was not added.');
    expect(await refusal('remove', 'greeting@3.0.0')).toContain('This version of the module was not added.');
  });
});

/** A registry of one package, whose install script would leave a file. */
async function startRegistry(): Promise<string> {
  const tarballs = new Map<string, Buffer>();
  for (const version of ['1.0.0', '2.0.0']) {
    const folder = join(data, `source-${version}`);
    await mkdir(folder);
    const scripts = { install: 'touch a-script-ran' };
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'greeting', version, scripts, main: 'main.js' }),
    );
    await writeFile(join(folder, 'main.js'), `module.exports = 'hello ${version}';`);
    await writeFile(join(folder, 'binding.gyp'), '{}');
    await run('npm', ['pack', '--ignore-scripts'], { cwd: folder });
    tarballs.set(version, await readFile(join(folder, `greeting-${version}.tgz`)));
  }
  const server = createServer((request, response) => {
    const [, version = ''] = /greeting-(.+)\.tgz$/.exec(request.url ?? '') ?? [];
    if (request.url === '/greeting') response.end(JSON.stringify(packument(server.address() as AddressInfo)));
    else if (tarballs.has(version)) response.end(tarballs.get(version));
    else response.writeHead(404).end('{}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  afterAll(() => new Promise((done) => server.close(done)));
  return origin(server.address() as AddressInfo);

  function packument(address: AddressInfo) {
    const versions = [...tarballs].map(([version, bytes]) => {
      const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
      const dist = { tarball: `${origin(address)}/greeting-${version}.tgz`, integrity };
      return [version, { name: 'greeting', version, main: 'main.js', hasInstallScript: true, dist }];
    });
    return { name: 'greeting', 'dist-tags': { latest: '2.0.0' }, versions: Object.fromEntries(versions) };
  }
}

function origin({ port }: AddressInfo): string {
  return `http://127.0.0.1:${port}`;
}
