import { describe, expect, it } from 'vitest';
import type { LogRow } from '../log-row.ts';
import { matchesRecord } from './match-record.ts';
import { parseSearch } from './search-query.ts';
import { parseStartsWith } from './starts-with.ts';

const row: LogRow = {
  ...{
    epoch: 0,
    xid: '1',
    seq: '1',
    day: '20261122',
    at: new Date(),
    type: 'fp',
    userId: 'auth0|1',
    clientId: 'c1',
    ip: '10.0.0.1',
  },
  connection: 'Users',
  body: { client_name: 'My Shop', user_name: 'ada@example.com', description: 'Wrong password' },
};
const finds = (search: string) => matchesRecord(parseSearch(undefined, search), row);

describe('search, which is no Lucene', () => {
  it.each([
    'my',
    'MY SHOP',
    'My Sh',
    'users',
    'Ada@',
    '"my shop"',
    'application:my',
    'user:"ADA@example.com"',
    'application:my shop user:ada connection:use',
  ])('finds by the beginning of a name: %s', (search) => expect(finds(search)).toBe(true));

  it.each(['shop', 'fp', 'Wrong', '"my"', 'user:my', 'application:my user:eve', 'a%', 'my_'])(
    'does not find %s',
    (search) => expect(finds(search)).toBe(false),
  );

  it.each([
    'type:fp',
    'client_name:"My Shop"',
    'my AND user_name:ada*',
    'NOT shop',
    '*hop',
    'ip:[10.0.0.0 TO *]',
    '-shop',
    '(my)',
  ])('leaves to Lucene what means something there: %s', (search) => expect(parseStartsWith(search)).toBeUndefined());

  it('and q have their bounds', () => {
    expect(() => parseSearch(undefined, 'a" "'.repeat(200))).toThrow();
    expect(() => parseSearch(undefined, Array.from({ length: 200 }, () => '"a"').join(' '))).toThrow(
      'too many clauses',
    );
    expect(() => parseSearch('x'.repeat(4_001), undefined)).toThrow('longer than 4000');
    expect(() => parseSearch(undefined, 'x'.repeat(4_001))).toThrow('longer than 4000');
  });
});
