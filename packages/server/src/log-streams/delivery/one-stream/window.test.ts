import { describe, expect, it } from 'vitest';
import type { LogRow } from '../../../logs/log-row.ts';
import { createWindow, type Entry } from './window.ts';

const START = { epoch: 0, xid: '0', seq: '0', day: '20261122' };

describe('the window of a stream', () => {
  it('moves the cursor to the end of what is done without a gap, in whatever order sends are acknowledged', () => {
    const window = createWindow(START);
    window.add(rows(1, 2, 3), row(3));
    const [one, two, three] = window.waiting(3, () => true);
    done(three);
    window.settle();
    expect(window.cursor().xid).toBe('0');
    done(one);
    window.settle();
    expect(window.cursor().xid).toBe('1');
    done(two);
    window.settle();
    expect([window.cursor().xid, window.size()]).toEqual(['3', 0]);
  });

  it('passes what nobody wants, and what the log has not got', () => {
    const window = createWindow(START);
    window.add(rows(1, 2, 3, 4), row(9));
    const [three] = window.waiting(10, ({ xid }) => xid === '3');
    window.settle();
    expect([three?.row.xid, window.cursor().xid]).toEqual(['3', '2']);
    done(three);
    window.settle();
    expect(window.cursor().xid).toBe('9');
    window.add([], row(12));
    expect(window.cursor().xid).toBe('12');
  });

  it('gives rows together that stand together: none is taken from behind one that is under way', () => {
    const window = createWindow(START);
    window.add(rows(1, 2, 3), row(3));
    const [, two] = window.waiting(3, () => true);
    if (two) two.state = 'sending';
    expect(window.waiting(3, () => true).map(({ row: { xid } }) => xid)).toEqual(['1']);
  });

  it('does not move back when a section ends before the one that was read', () => {
    const window = createWindow(START);
    window.add(rows(5), row(5));
    window.add([], row(3));
    expect(window.reached().xid).toBe('5');
  });
});

function done(entry: Entry | undefined): void {
  if (entry) entry.state = 'done';
}

function rows(...xids: number[]): LogRow[] {
  return xids.map(row);
}

function row(xid: number): LogRow {
  const nothing = { userId: null, clientId: null, connection: null, ip: null, body: {} };
  return { ...START, ...nothing, xid: String(xid), seq: String(xid), at: new Date(0), type: 's' };
}
