import { describe, expect, it } from 'vitest';
import { parseDateSpan } from './search-date.ts';

describe('parseDateSpan', () => {
  it.each([
    ['2018', '2018-01-01T00:00:00.000Z', '2019-01-01T00:00:00.000Z'],
    ['2018-12', '2018-12-01T00:00:00.000Z', '2019-01-01T00:00:00.000Z'],
    ['2018-12-18', '2018-12-18T00:00:00.000Z', '2018-12-19T00:00:00.000Z'],
    ['2019-01-01T01', '2019-01-01T01:00:00.000Z', '2019-01-01T02:00:00.000Z'],
    ['2019-01-01T12:23:45', '2019-01-01T12:23:45.000Z', '2019-01-01T12:23:46.000Z'],
    ['2019-01-01T12:23:45.5+02:00', '2019-01-01T10:23:45.500Z', '2019-01-01T10:23:45.501Z'],
  ])('takes %s for its whole span', (text, start, end) => {
    const span = parseDateSpan(text);
    expect([span?.start, span?.end]).toEqual([Date.parse(start), Date.parse(end)]);
  });

  it.each(['2018-13', '2018-02-30', 'yesterday', '2018-1-1', '2018-12-18 10:00', "2018'", '99999'])(
    'does not take %s',
    (text) => {
      expect(parseDateSpan(text)).toBeUndefined();
    },
  );
});
