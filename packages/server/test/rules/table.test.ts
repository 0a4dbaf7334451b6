import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { faultsOf, readRows } from '../conformance/table.ts';

const PAGE = fileURLToPath(new URL('../../../../docs/rules.md', import.meta.url));
const SERVER = fileURLToPath(new URL('../../', import.meta.url));

describe('the table of rules', () => {
  const rows = readRows(readFileSync(PAGE, 'utf8'));

  it('names for every row a file and a test that exist', () => {
    expect(rows.flatMap((row) => faultsOf(row, SERVER).map((fault) => `${row.section}: ${fault}`))).toEqual([]);
  });

  it('has a row for each requirement', () => {
    const built = rows.flatMap(({ section }) => /^RUL\.(.+)$/.exec(section)?.[1] ?? []).flatMap(numbers);
    expect(built.sort((one, other) => one - other)).toEqual(numbers('1–50'));
  });
});

/** `36–38` → 36, 37, 38. */
function numbers(range: string): number[] {
  const [first = 0, last = first] = range.split('–').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
