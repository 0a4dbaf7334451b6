import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../../..');
const SOURCES = join(REPOSITORY, 'packages/server/src');
const architecture = readFileSync(join(REPOSITORY, 'docs/architecture.md'), 'utf8');

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/architecture.md',
  'docs/operating.md',
  ...readdirSync(join(REPOSITORY, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
];

const SOURCE_PATH = /^[a-z0-9/-]+\.(ts|liquid|sql|json)$/;

/** Rows of the page's table of folders: code is imported from the own row and those above it. */
const rows = [...architecture.matchAll(/^\| \d \| (.+?) \|/gm)].map(([, cell = '']) =>
  [...cell.matchAll(/`([a-z-]+)`/g)].map(([, folder = '']) => folder),
);

/** Where the rule does not hold, and why. */
const EXCEPTIONS = new Map([
  ['tenants/create-tenant.ts', 'a new tenant gets one of everything'],
  ['tenants/tenant-settings-change.ts', 'the URLs of settings follow the rules of the URLs of clients'],
]);

describe('docs/architecture.md', () => {
  it.each(pages)('%s names files that exist', (page) => {
    const text = readFileSync(join(REPOSITORY, page), 'utf8');
    const paths = [...text.matchAll(/`([\w.-][\w./-]*\/[\w.-]+\.\w+|[a-z-]+\.ts)`/g)].map(([, path = '']) => path);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => join(dirname(page), path));
    const missing = [...paths.filter(isInRepository), ...links].filter((path) => !find(path));
    expect(missing).toEqual([]);
  });

  it('names functions that are exported where it says', () => {
    const named = [...architecture.matchAll(/`([a-z0-9/-]+\.ts)` `(\w+)`/g)];
    expect(named.length).toBeGreaterThan(40);
    const missing = named.filter(([, path = '', name = '']) => !exportsName(path, name)).map(([text]) => text);
    expect(missing).toEqual([]);
  });

  const orders = [...architecture.matchAll(/^- `([a-z0-9/-]+\.ts)`: (`.+→.+`)$/gm)].map(
    ([, path = '', calls = '']) => ({
      path,
      calls: [...calls.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name),
    }),
  );

  it.each(orders)('$path calls what the page says, in its order', ({ path, calls }) => {
    const text = withoutImports(readSource(path));
    let position = 0;
    for (const name of calls) {
      const found = text.slice(position).search(new RegExp(`(?<![A-Za-z])${name.replace('.', '\\.')}(\\?\\.)?\\(`));
      expect(found, `${name} comes after the call before it`).toBeGreaterThanOrEqual(0);
      position += found + 1;
    }
  });

  it('follows a login, a token, a change and a start', () => {
    expect(orders.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'oauth/authorize/authorize-routes.ts',
        'login/finish-login.ts',
        'oauth/token/authorization-code.ts',
        'oauth/token/client-credentials.ts',
        'management/register-management.ts',
        'start/start-server.ts',
      ]),
    );
  });

  it('names every table of the migrations', () => {
    const folder = join(REPOSITORY, 'packages/server/migrations');
    const sql = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const tables = [...sql.join('\n').matchAll(/^create table (\w+) \(/gm)].map(([, table = '']) => table);
    expect(tables.length).toBeGreaterThan(20);
    expect(tables.filter((table) => !new RegExp(`^\\|.*\\b${table}\\b`, 'm').test(architecture))).toEqual([]);
  });
});

describe('imports between the folders', () => {
  const imports = sourceFiles().flatMap((from) => importsOf(from));

  it('every folder has its row', () => {
    const folders = readdirSync(SOURCES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rows.flat().sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it('code is imported only from the own row and those above it', () => {
    const upwards = imports.filter(({ from, to, isType }) => !isType && rowOf(to) > rowOf(from));
    const strange = upwards.filter(({ from }) => !EXCEPTIONS.has(from)).map(({ from, to }) => `${from} → ${to}`);
    expect(strange).toEqual([]);
    // An exception that is mended leaves the list.
    expect([...new Set(upwards.map(({ from }) => from))].sort()).toEqual([...EXCEPTIONS.keys()].sort());
  });

  it('stores are imported only where they are wired, and by each other', () => {
    const isStore = (path: string) => path.endsWith('-store.ts');
    const strange = imports.filter(
      ({ from, to, isType }) => isStore(to) && !isType && from !== 'stores.ts' && !isStore(from),
    );
    expect(strange).toEqual([]);
  });

  it('the linter refuses import cycles', () => {
    const { linter } = JSON.parse(readFileSync(join(REPOSITORY, 'biome.json'), 'utf8'));
    expect(linter.rules.suspicious.noImportCycles).toBe('error');
  });
});

function sourceFiles(): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
  );
}

function importsOf(from: string): { from: string; to: string; isType: boolean }[] {
  return [...readSource(from).matchAll(/^(?:import|export)\s([^;]*?)\sfrom\s+'(\.[^']+)'/gm)].map(
    ([, what = '', path = '']) => ({
      from,
      to: relative(SOURCES, resolve(SOURCES, dirname(from), path)),
      isType: what.startsWith('type ') || onlyTypes(what),
    }),
  );
}

function onlyTypes(names: string): boolean {
  const listed = names.replace(/[{}]/g, '').split(',');
  return names.startsWith('{') && listed.every((name) => name.trim() === '' || name.trim().startsWith('type '));
}

function rowOf(path: string): number {
  const folder = path.includes('/') ? path.split('/')[0] : undefined;
  const row = rows.findIndex((folders) => folder !== undefined && folders.includes(folder));
  return row < 0 ? rows.length - 1 : row;
}

function exportsName(path: string, name: string): boolean {
  return new RegExp(`^export (async )?(function\\*?|const|class|interface|type) ${name}\\b`, 'm').test(
    readSource(path),
  );
}

function withoutImports(text: string): string {
  return text.replace(/^import [^;]*;$/gm, '');
}

function readSource(path: string): string {
  return readFileSync(join(SOURCES, path), 'utf8');
}

/** What users write or the server makes is in nobody's checkout. */
function isInRepository(path: string): boolean {
  return !/^(data|node_modules|pg)\//.test(path) && !/^(first-run|answer)\.json$/.test(path);
}

function find(path: string): boolean {
  const places = SOURCE_PATH.test(path) ? [SOURCES, REPOSITORY] : [REPOSITORY];
  return places.some((place) => existsSync(join(place, path)));
}
