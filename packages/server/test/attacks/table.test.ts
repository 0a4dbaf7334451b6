import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { faultsOf, readRows } from '../conformance/table.ts';

const SERVER = fileURLToPath(new URL('../../', import.meta.url));
const rows = readRows(readFileSync(new URL('../../../../docs/attacks.md', import.meta.url), 'utf8'));

it('names for every attack a file and a test that exist', () => {
  const faults = rows.flatMap((row) => faultsOf(row, SERVER).map((fault) => `${row.section}:${row.line}: ${fault}`));
  expect(faults).toEqual([]);
});

it('leaves out none of the attacks that this version is to survive', () => {
  const named = new Set(rows.flatMap(({ section }) => section.split(', ')));
  const expected =
    'A1 A2 A3 A4 A5 A6 T1 T2 T3 T4 T6 T7 L6 L7 R1 E1 M8 M9 M10 F2 F3 F5 F11 G1 G2 G3 G4 G5 G6 G7 G8 G9 G10 G11 G12'.split(
      ' ',
    );
  expect(expected.filter((id) => !named.has(id))).toEqual([]);
});
