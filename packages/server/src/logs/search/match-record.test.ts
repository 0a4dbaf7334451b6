import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { LuceneQuery } from '../../kit/lucene/query.ts';
import { type LogRow, logIdOf } from '../log-row.ts';
import { createLogReader, type LogReader } from '../reading/log-reader.ts';
import { matchesRecord } from './match-record.ts';
import { NEWEST_FIRST } from './search-logs.ts';
import { parseSearch } from './search-query.ts';

let database: TestDatabase;
let reader: LogReader;
let rows: LogRow[];

const SEED = 20261122;
/** Few values, so that searches meet records; with everything in them that means something to LIKE, JSON or a collation. */
const VALUES = [
  'f',
  'fp',
  'Fp',
  'ada@x.test',
  'a%b',
  'a_b',
  'axb',
  'back\\slash',
  'Create a rule',
  'Ünal',
  'ünal',
  '\u{1f600}',
  '\uffee',
  '*',
  '',
];
const value = fc.constantFrom(...VALUES);
const instant = fc.constantFrom(
  '2026-01-31T23:59:59.999Z',
  '2026-02-01T00:00:00Z',
  '2026-02-28T12:30:15.123Z',
  '2025-12-31T23:00:00Z',
);

beforeAll(async () => {
  database = await createTestDatabase();
  reader = createLogReader({ pool: database.pool });
  const record = fc.record({
    ...{
      type: value,
      user_id: fc.option(value),
      client_id: fc.option(value),
      connection: fc.option(value),
      ip: fc.option(value),
    },
    at: instant,
    body: fc.record(
      { description: value, user_name: value, client_name: value, hostname: value, strategy: value },
      { requiredKeys: [] },
    ),
  });
  await database.pool.query(
    `insert into log_events (tenant_id, at, type, user_id, client_id, connection, ip, body)
     select 'dev', * from jsonb_to_recordset($1) as row
       (at timestamptz, type text, user_id text, client_id text, connection text, ip text, body jsonb)`,
    [JSON.stringify(fc.sample(record, { numRuns: 150, seed: SEED }))],
  );
  rows = await search({ kind: 'all' });
});
afterAll(() => database.drop());

const search = (query: LuceneQuery) => reader.search('dev', { query, sort: NEWEST_FIRST, offset: 0, limit: 1_000 });

const field = fc.constantFrom(
  ...[
    'type',
    'user_id',
    'client_id',
    'connection',
    'ip',
    'description',
    'user_name',
    'client_name',
    'hostname',
    'strategy',
    'log_id',
  ],
);
const escaped = (text: string) => text.replace(/[\s\\"()[\]{}:*?+!-]/g, '\\$&');
const term = fc.oneof(
  value.filter((text) => text !== '').map(escaped),
  value.map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`),
  value.map((text) => `${escaped(text)}*`),
  fc.tuple(value, value).map(([one, other]) => `*${escaped(one)}*${escaped(other)}*`),
  fc.constantFrom('*rule', 'Cre*rule', '*ate*a*', '900*', '*"*'),
);
const bound = fc.oneof(
  fc.constantFrom('*', 'f', 'Fp', '"Create a rule"', '\u{1f600}', '\uffee'),
  value.filter((text) => /^[^\s\\"]+$/.test(text)),
);
const date = fc.constantFrom(
  '*',
  '2025',
  '2026-02',
  '2026-01-31',
  '2026-02-01T00',
  '2026-01-31T23:59:59',
  '2026-02-28T12:30:15.123Z',
  '2026-01-01T00:00:00+01:00',
);
const between = (ends: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.constantFrom('[', '{'), ends, ends, fc.constantFrom(']', '}'))
    .map(([open, from, to, close]) => `${open}${from} TO ${to}${close}`);
const clause = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(field, term).map(([name, text]) => `${name}:${text}`) },
  term,
  fc.tuple(field, between(bound)).map(([name, range]) => `${name}:${range}`),
  between(date).map((range) => `date:${range}`),
  date.filter((text) => text !== '*').map((text) => `date:"${text}"`),
);
const { query: anyQuery } = fc.letrec<{ query: string }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    clause,
    fc
      .tuple(tie('query'), fc.constantFrom('AND', 'OR', ''), tie('query'))
      .map(([one, word, other]) => `(${one} ${word} ${other})`),
    tie('query').map((inner) => `NOT (${inner})`),
    fc
      .tuple(field, fc.array(term, { minLength: 1, maxLength: 4 }))
      .map(([name, terms]) => `${name}:(${terms.join(' OR ')})`),
  ),
}));
const anyWords = fc.array(
  fc.oneof(
    value,
    value.map((text) => `user:"${text}"`),
    value.map((text) => `application:${text}`),
  ),
  { maxLength: 3 },
);

const ids = (found: readonly LogRow[]) => found.map(logIdOf).toSorted();

/** Undefined for a search that is refused. */
function parsed(q: string | undefined, search?: string): LuceneQuery | undefined {
  try {
    return parseSearch(q, search);
  } catch (error) {
    if (error instanceof DeclaredError) return undefined;
    throw error;
  }
}

describe('a search', () => {
  it('finds in the database what it says in plain words, whatever it is', async () => {
    const seen = { some: 0, none: 0, refused: 0 };
    const check = async (query: LuceneQuery | undefined) => {
      const expected = query && rows.filter((row) => matchesRecord(query, row));
      seen[expected === undefined ? 'refused' : expected.length > 0 ? 'some' : 'none']++;
      if (query && expected) expect(ids(await search(query))).toEqual(ids(expected));
    };
    await fc.assert(
      fc.asyncProperty(anyQuery, async (q) => check(parsed(q))),
      { numRuns: 250, seed: SEED },
    );
    await fc.assert(
      fc.asyncProperty(anyWords, async (words) => check(parsed(undefined, words.join(' ')))),
      { numRuns: 80, seed: SEED },
    );
    // The comparison would be worth nothing if most searches were refused, or found nothing.
    expect(seen.some).toBeGreaterThan(100);
    expect(seen.none).toBeGreaterThan(20);
    expect(seen.refused).toBeLessThan(100);
  });

  it('is not slowed down by what it looks for', () => {
    const row: LogRow = {
      epoch: 0,
      xid: '1',
      seq: '1',
      day: '20261122',
      at: new Date(),
      type: 'f',
      userId: null,
      clientId: null,
      connection: null,
      ip: null,
      body: { description: 'a'.repeat(1_000) },
    };
    const query = parseSearch('description:*aaa*aaa*aaab', undefined);
    for (let round = 0; round < 10_000; round++) expect(matchesRecord(query, row)).toBe(false);
  });
});
