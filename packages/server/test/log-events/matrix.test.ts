import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accounts } from './families/accounts.ts';
import { devices } from './families/devices.ts';
import { exchanges } from './families/exchanges.ts';
import { logins } from './families/logins.ts';
import { logouts } from './families/logouts.ts';
import { operations } from './families/operations.ts';
import { tenantCode } from './families/tenant-code.ts';
import type { Elsewhere, RunningFamily } from './family.ts';
import { wholeRecord } from './record.ts';

const FAMILIES = [logins, logouts, exchanges, devices, accounts, operations, tenantCode];

/** Codes that no request causes: their own tests go the whole way and look at the record. */
const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  // Days go by first.
  resource_cleanup: {
    file: '../log-streams/clocks-and-days.test.ts',
    title: 'gets those of its week of grace, and is told of those that are over: which, and how many',
  },
};

const NAMELESS = ['custom_domain_verification_failed'];

/** The table of docs/log-events.md: all codes that something here causes. */
const documented = [...read('../../../../docs/log-events.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);

describe.each(FAMILIES)('each code of the family $title', ({ codes, start }) => {
  let running: RunningFamily;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running?.stop());

  it.each(codes)('is caused by a request that anybody could make, and its record is whole: %s', async (code) => {
    const records = await running.cause(code);
    expect(records).toHaveLength(1);
    for (const record of records) {
      const expected = wholeRecord(record, code, running.expected(code));
      // Some know their application by its id alone.
      if (NAMELESS.includes(code) && !('client_name' in record)) delete expected.client_name;
      expect(record).toEqual(expected);
    }
  });
});

describe('the catalogue', () => {
  it('has a row for each code that the documentation says something here causes, and for no other', () => {
    const rows = [...FAMILIES.flatMap(({ codes }) => codes), ...Object.keys(ELSEWHERE)];
    expect(rows.toSorted()).toEqual(documented.toSorted());
  });

  it.each(Object.entries(ELSEWHERE))('points for %s to a test that is there and names it', (code, { file, title }) => {
    const text = read(file);
    expect(text).toContain(`it('${title}'`);
    expect(text).toContain(`'${code}'`);
  });
});

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
