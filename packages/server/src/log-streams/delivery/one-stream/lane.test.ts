import { describe, expect, it } from 'vitest';
import type { LogPosition } from '../../../logs/log-id.ts';
import type { LogRow } from '../../../logs/log-row.ts';
import { createLane } from './lane.ts';

const START = { epoch: 0, xid: '0', seq: '0', day: '20261122' };
const ROOM = { rows: 6_000, bytes: 1_000_000 };
const LARGE = 40_000;

describe('what a stream has read and not sent', () => {
  it('takes no more memory than it may, however large events are', async () => {
    const log = logOf(500, LARGE);
    const lane = createLane({ from: START, read: log.read });
    for (let look = 0; look < 10; look++) await lane.refill(ROOM);
    expect(lane.window.bytes()).toBeLessThanOrEqual(ROOM.bytes);
    expect(lane.window.size()).toBeGreaterThan(5);
  });

  it('is one event where one alone is larger', async () => {
    const lane = createLane({ from: START, read: logOf(5, LARGE).read });
    await lane.refill({ rows: 100, bytes: 1_000 });
    await lane.refill({ rows: 100, bytes: 1_000 });
    expect(lane.window.size()).toBe(1);
  });

  it('misses none of what it had no room for', async () => {
    const log = logOf(120, LARGE);
    const lane = createLane({ from: START, read: log.read });
    const sent: string[] = [];
    for (let look = 0; sent.length < 120 && look < 1_000; look++) {
      await lane.refill(ROOM);
      for (const entry of lane.window.waiting(3, () => true)) {
        sent.push(entry.row.seq);
        entry.state = 'done';
      }
      lane.window.settle();
    }
    expect(sent).toEqual(Array.from({ length: 120 }, (_, index) => String(index + 1)));
  });

  it('is read in pages that fit, once it is known how large events are', async () => {
    const log = logOf(500, LARGE);
    const lane = createLane({ from: START, read: log.read });
    for (let look = 0; look < 20; look++) {
      await lane.refill(ROOM);
      for (const entry of lane.window.waiting(500, () => true)) entry.state = 'done';
      lane.window.settle();
    }
    expect(Math.max(...log.asked.slice(1))).toBeLessThanOrEqual(ROOM.bytes / (2 * LARGE));
  });
});

/** So many events, all of this length. */
function logOf(count: number, characters: number) {
  const nothing = { userId: null, clientId: null, connection: null, ip: null };
  const body = { details: 'x'.repeat(characters) };
  const rows: LogRow[] = Array.from({ length: count }, (_, index) => ({
    ...START,
    ...nothing,
    seq: String(index + 1),
    at: new Date(0),
    type: 's',
    body,
  }));
  const asked: number[] = [];
  return {
    asked,
    async read(from: LogPosition, most: number) {
      asked.push(most);
      const found = rows.filter(({ seq }) => Number(seq) > Number(from.seq)).slice(0, most);
      return { rows: found, reached: found.at(-1) ?? from };
    },
  };
}
