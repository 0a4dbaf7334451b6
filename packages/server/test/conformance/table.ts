import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A requirement of a specification, with what keeps it and what proves it. */
export interface Row {
  readonly line: number;
  readonly section: string;
  readonly requirement: string;
  readonly files: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const HEADER = /^\| *§ *\| *Requirement *\| *Kept by *\| *Proven by *\| *Note *\|$/;
const CELLS = 5;
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

/** The rows of every table of requirements in a page. Whatever else the page has (the client's duties) is prose. */
export function readRows(page: string): Row[] {
  const rows: Row[] = [];
  let inside = false;
  for (const [index, text] of page.split('\n').entries()) {
    if (!text.startsWith('|')) inside = false;
    else if (HEADER.test(text)) inside = true;
    else if (inside && !/^[|: -]+$/.test(text)) rows.push(readRow(text, index + 1));
  }
  return rows;
}

/** What is missing in a row; empty where its files and its tests exist: below `root`, or in the package that they name. */
export function faultsOf(row: Row, root: string): string[] {
  const place = (file: string) => join(file.startsWith('packages/') ? REPOSITORY : root, file);
  const faults: string[] = [];
  if (row.section === '' || row.requirement === '') faults.push('no section or no requirement');
  if (row.files.length === 0) faults.push('no file that keeps it');
  if (row.tests.length === 0) faults.push('no test that proves it');
  for (const file of row.files) if (!isFile(place(file))) faults.push(`${file} does not exist`);
  for (const { file, title } of row.tests) {
    if (!isFile(place(file))) faults.push(`${file || 'a test'} does not exist`);
    else if (!titlesOf(readFileSync(place(file), 'utf8')).has(title))
      faults.push(`${file} has no test with the title: ${title}`);
  }
  return faults;
}

/** Titles of the tests that run: `it('…'`, and `it.each(…)('…'` whose arguments may take many lines. Skipped ones do not count. */
export function titlesOf(source: string): Set<string> {
  const calls =
    /(?:\bit|^\s*\]\)|^\s*\)|\bit\.each\(.*\))\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)/gm;
  return new Set(
    [...source.matchAll(calls)].map(([, single, double, back]) => withoutEscapes(single ?? double ?? back ?? '')),
  );
}

function readRow(text: string, line: number): Row {
  const cells = text
    .slice(1, text.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll('\\|', '|').trim());
  if (cells.length !== CELLS) throw new Error(`Line ${line} has ${cells.length} cells instead of ${CELLS}.`);
  const [section = '', requirement = '', files = '', tests = ''] = cells;
  return {
    line,
    section,
    requirement,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    tests: tests
      .split('<br>')
      .filter(Boolean)
      .map((test) => {
        const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(test.trim()) ?? [];
        return { file, title };
      }),
  };
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
