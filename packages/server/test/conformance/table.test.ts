import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { faultsOf, readRows, titlesOf } from './table.ts';

const PAGES = fileURLToPath(new URL('../../../../docs/conformance/', import.meta.url));
const SERVER = fileURLToPath(new URL('../../', import.meta.url));
const SPECIFICATIONS = [
  'openid-connect-backchannel-logout.md',
  'openid-connect-core.md',
  'openid-connect-rp-initiated-logout.md',
  'rfc6749.md',
  'rfc6750.md',
  'rfc7009.md',
  'rfc7636.md',
  'rfc7662.md',
  'rfc8252.md',
  'rfc8628.md',
  'rfc8693.md',
  'rfc8705.md',
  'rfc9101.md',
  'rfc9126.md',
  'rfc9207.md',
  'rfc9449.md',
  'rfc9700.md',
];

const HEAD = '| § | Requirement | Kept by | Proven by | Note |\n|---|---|---|---|---|\n';
const THIS = '`test/conformance/table.test.ts`';
const rowOf = (cells: string) => readRows(HEAD + cells)[0] ?? expect.unreachable('The row was not read.');

describe('the tables of requirements', () => {
  it('has a page for each specification', () => {
    expect(readdirSync(PAGES).filter((name) => SPECIFICATIONS.includes(name))).toEqual(SPECIFICATIONS);
  });

  it.each(SPECIFICATIONS)('of %s names for every row a file and a test that exist', (page) => {
    const rows = readRows(readFileSync(`${PAGES}${page}`, 'utf8'));
    expect(rows).not.toHaveLength(0);
    const faults = rows.flatMap((row) => faultsOf(row, SERVER).map((fault) => `${page}:${row.line}: ${fault}`));
    expect(faults).toEqual([]);
  });
});

describe('reading a table of requirements', () => {
  it('accepts a row whose file and test exist', () => {
    const title = 'accepts a row whose file and test exist';
    expect(faultsOf(rowOf(`| 1 | x | \`test/world.ts\` | ${THIS}: ${title} | |`), SERVER)).toEqual([]);
  });

  it.each([
    ['no file', `| 1 | x | | ${THIS}: accepts a row whose file and test exist | |`],
    ['no test', '| 1 | x | `test/world.ts` | | |'],
    ['a test without a file', '| 1 | x | `test/world.ts` | accepts a row whose file and test exist | |'],
    ['a file that does not exist', `| 1 | x | \`src/gone.ts\` | ${THIS}: accepts a row whose file and test exist | |`],
    ['a title that no test has', `| 1 | x | \`test/world.ts\` | ${THIS}: nobody wrote this one | |`],
    ['a part of a title', `| 1 | x | \`test/world.ts\` | ${THIS}: accepts a row whose file | |`],
  ])('finds fault with %s', (_what, cells) => {
    expect(faultsOf(rowOf(cells), SERVER)).not.toEqual([]);
  });

  it('counts tests that run, in any quotes and with tables of cases', () => {
    const source = [
      "it('one', () => {",
      'it("it\'s two", () => {',
      "it.each([1])('three %s', () => {",
      "it.each([\n  ['a'],\n])('four %s', () => {",
      "it.skip('five', () => {",
      "it.todo('six')",
      "describe('seven', () => {",
    ].join('\n');
    expect([...titlesOf(source)]).toEqual(['one', "it's two", 'three %s', 'four %s']);
  });
});
