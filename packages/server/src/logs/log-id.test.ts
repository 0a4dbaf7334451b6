import { describe, expect, it } from 'vitest';
import { decodeLogId, encodeLogId } from './log-id.ts';

const position = { epoch: 1, xid: '1000', seq: '42', day: '20261122' };

describe('log_id', () => {
  it('has 56 digits and says where the event stands', () => {
    const id = encodeLogId(position);
    expect(id).toMatch(/^900\d{53}$/);
    expect(decodeLogId(id)).toEqual(position);
  });

  it('is ordered as text as events are delivered', () => {
    const ids = [
      { ...position, xid: '999', seq: '9', day: '20261123' },
      position,
      { ...position, seq: '100' },
      { ...position, xid: '18446744073709551615', seq: '9223372036854775807' },
      { ...position, epoch: 2, xid: '3' },
    ].map(encodeLogId);
    expect(ids.toSorted()).toEqual(ids);
  });

  it.each([
    ['90020221106225657127344338174467560571679411426601992274', 'an id that Auth0 made'],
    [encodeLogId(position).slice(1), 'a short one'],
    [`${encodeLogId(position)}0`, 'a long one'],
    [`${encodeLogId(position)}\n`, 'a line break'],
    [encodeLogId({ ...position, day: '20260230' }), 'a day that is none'],
    [encodeLogId({ ...position, xid: '18446744073709551616' }), 'an xid that is too large'],
    [encodeLogId({ ...position, seq: '9223372036854775808' }), 'a seq that is too large'],
    ["900' or 1=1 --", 'an injection'],
    ['', 'nothing'],
  ])('does not decode %s, %s', (id) => {
    expect(decodeLogId(id)).toBeUndefined();
  });
});
