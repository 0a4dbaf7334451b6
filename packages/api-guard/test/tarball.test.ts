import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWhere } from '../../server/test/describe-where.ts';
import { describeWithMemcached, startMemcached } from './memcached.ts';

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, '..');
const MODULES = join(PACKAGE, '../../node_modules');
/** Of a folder of its own, so that its `node` wins nowhere over the one that the server runs on. */
const OLD_NODE = join(import.meta.dirname, `node-22/node_modules/node-${process.platform}-${process.arch}/bin/node`);
const MISSING = 'there is no Node 22 (npm ci --prefix packages/api-guard/test/node-22)';

let folder: string;
let files: string[];

describeOnNode22('the packed tarball, installed beside jose', () => {
  beforeAll(install, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds what was built, its README and its licence, and nothing else', () => {
    expect(
      files.filter((file) => !/^(dist\/[\w/-]+\.(js|d\.ts)|README\.md|LICENSE|package\.json)$/.test(file)),
    ).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/api-guard.js', 'dist/api-guard.d.ts']));
  });

  it('has every file that its exports name', async () => {
    const { exports } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
    const named = Object.values<{ types: string; default: string }>(exports).flatMap((paths) => Object.values(paths));
    const missing = named.map((path) => path.slice(2)).filter((path) => !files.includes(path));
    expect(missing.filter((path) => existsSync(sourceOf(path)))).toEqual([]);
  });

  it('guards Express, Fastify and Hono on Node 22', async () => {
    expect(await useIt()).toEqual({
      node: '22',
      asked: 1,
      broker: 'unknown_session',
      express: ['ada', 401],
      fastify: ['ada', 401],
      hono: ['ada', 401],
    });
  });

  describeWithMemcached('with memcached', () => {
    it('asks once on Node 22, and ends', async () => {
      const memcached = await startMemcached();
      try {
        expect(await useIt(memcached.address)).toMatchObject({ asked: 1, express: ['ada', 401] });
      } finally {
        await memcached.stop();
      }
    });
  });

  it('has declarations that a strict compiler takes', async () => {
    const types = { typeRoots: [join(MODULES, '@types')], types: ['node', 'express'] };
    const compilerOptions = {
      ...types,
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'es2023',
      module: 'nodenext',
      noEmit: true,
      skipLibCheck: true,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use-it.ts'] }));
    await cp(join(import.meta.dirname, 'node-22/use-it.ts'), join(folder, 'use-it.ts'));
    const { stdout } = await compile(['-p', join(folder, 'tsconfig.json')]).catch((error) => error);
    expect(stdout).toBe('');
  });
});

/** Packs what the build makes of the sources, in a folder of its own: others may be using `dist`. */
async function install(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'gatewright-tarball-'));
  const packed = join(folder, 'packed');
  await mkdir(packed);
  for (const name of ['package.json', 'README.md', 'LICENSE']) await cp(join(PACKAGE, name), join(packed, name));
  await compile(['-p', join(PACKAGE, 'tsconfig.build.json'), '--outDir', join(packed, 'dist')]);
  const { filename, files: listed } = await pack(packed);
  files = listed.map(({ path }) => path);
  const jose = await pack(join(MODULES, 'jose'));
  await writeFile(join(folder, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  await npm(['install', '--offline', '--ignore-scripts', `./${filename}`, `./${jose.filename}`]);
  for (const name of ['express', 'fastify', 'hono', '@types'])
    await symlink(join(MODULES, name), join(folder, 'node_modules', name));
  await cp(join(import.meta.dirname, 'node-22/use-it.mjs'), join(folder, 'use-it.mjs'));
}

async function pack(from: string): Promise<{ filename: string; files: { path: string }[] }> {
  const { stdout } = await npm(['pack', from, '--json', '--ignore-scripts', '--pack-destination', folder]);
  return JSON.parse(stdout)[0];
}

/** One that is not built yet has no file; none may be left out that is. */
const sourceOf = (path: string) => join(PACKAGE, path.replace(/^dist/, 'src').replace(/(\.d)?\.[jt]s$/, '.ts'));

async function useIt(...args: string[]): Promise<unknown> {
  const { stdout } = await run(OLD_NODE, ['use-it.mjs', ...args], { cwd: folder, timeout: 60_000 });
  return JSON.parse(stdout);
}

const npm = (args: string[]) =>
  run('npm', [...args, '--prefix', folder, '--no-audit', '--no-fund', '--no-update-notifier'], {
    cwd: folder,
    timeout: 120_000,
  });
const compile = (args: string[]) => run(join(MODULES, '.bin/tsc'), args, { cwd: folder });

/** Without one the run says what it left out, and with CI=true it fails. */
function describeOnNode22(title: string, define: () => void): void {
  describeWhere(existsSync(OLD_NODE) ? undefined : MISSING, title, define);
}
