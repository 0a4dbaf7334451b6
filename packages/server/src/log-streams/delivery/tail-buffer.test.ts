import { describe, expect, it } from 'vitest';
import { comparePositions, type LogPosition } from '../../logs/log-id.ts';
import type { LogRow } from '../../logs/log-row.ts';
import type { TailRow } from '../../logs/reading/read-tail.ts';
import { createTailBuffer } from './tail-buffer.ts';

describe('the end of the log that all streams share', () => {
  it('reads once for all streams, and gives each tenant its own', async () => {
    const log = createLog();
    const buffer = createTailBuffer(log);
    await buffer.poll(new Set(['a', 'b']));
    const from = log.position();
    log.write('a', 'b', 'a');
    expect(await buffer.poll(new Set(['a', 'b']))).toBe(true);
    expect(await buffer.poll(new Set(['a', 'b']))).toBe(false);
    expect(buffer.after('a', from, 10)?.rows.map(({ xid }) => xid)).toEqual(['1', '3']);
    expect(buffer.after('b', from, 10)?.rows.map(({ xid }) => xid)).toEqual(['2']);
    expect(log.reads).toBe(3);
  });

  it('says where it stopped when there is no room for all of it', async () => {
    const log = createLog();
    const buffer = createTailBuffer(log);
    await buffer.poll(new Set(['a']));
    const from = log.position();
    log.write('a', 'a', 'a');
    await buffer.poll(new Set(['a']));
    const first = buffer.after('a', from, 2);
    expect([first?.rows.length, first?.reached.xid]).toEqual([2, '2']);
    expect(buffer.after('a', first?.reached ?? from, 2)?.rows.map(({ xid }) => xid)).toEqual(['3']);
  });

  it('has nothing for a stream that is further back than it reaches', async () => {
    const log = createLog();
    const buffer = createTailBuffer({ ...log, most: 5 });
    await buffer.poll(new Set(['a']));
    const from = log.position();
    log.write(...'aaaaaaaaaa');
    await buffer.poll(new Set(['a']));
    expect(buffer.size()).toBe(5);
    expect(buffer.after('a', from, 10)).toBeUndefined();
    expect(buffer.after('a', { ...from, xid: '5' }, 10)?.rows).toHaveLength(5);
  });

  it('keeps the newest of what would take more memory than it may', async () => {
    const log = createLog({ details: 'x'.repeat(10_000) });
    const buffer = createTailBuffer({ ...log, mostBytes: 100_000 });
    await buffer.poll(new Set(['a']));
    log.write(...'aaaaaaaaaa');
    await buffer.poll(new Set(['a']));
    expect(buffer.size()).toBe(4);
    expect(buffer.after('a', { ...log.position(), xid: '6' }, 10)?.rows).toHaveLength(4);
    log.write(...'aa');
    await buffer.poll(new Set(['a']));
    expect(buffer.size()).toBe(4);
  });

  it('has nothing from before it followed a tenant, nor of the time in which it did not', async () => {
    const log = createLog();
    const buffer = createTailBuffer(log);
    await buffer.poll(new Set(['a']));
    const from = log.position();
    log.write('b');
    await buffer.poll(new Set(['a']));
    await buffer.poll(new Set(['a', 'b']));
    expect(buffer.after('b', from, 10)).toBeUndefined();
    expect(buffer.after('b', log.position(), 10)?.rows).toEqual([]);
    await buffer.poll(new Set(['a']));
    log.write('b');
    await buffer.poll(new Set(['a']));
    await buffer.poll(new Set(['a', 'b']));
    expect(buffer.after('b', { ...from, xid: '1' }, 10)).toBeUndefined();
  });
});

/** A log of which everything is final, in memory. */
function createLog(body: LogRow['body'] = {}) {
  const rows: TailRow[] = [];
  const position = (): LogPosition => ({ epoch: 0, xid: String(rows.length), seq: '0', day: '20261122' });
  const log = {
    reads: 0,
    position,
    write(...tenantIds: string[]): void {
      for (const tenantId of tenantIds)
        rows.push({
          ...position(),
          ...NOTHING,
          body,
          xid: String(rows.length + 1),
          tenantId,
          at: new Date(0),
          type: 's',
        });
    },
    end: async () => position(),
    async read(tenantIds: readonly string[], from: LogPosition) {
      log.reads++;
      const found = rows.filter((row) => tenantIds.includes(row.tenantId) && comparePositions(row, from) > 0);
      return { rows: found, reached: position() };
    },
  };
  return log;
}

const NOTHING = { userId: null, clientId: null, connection: null, ip: null };
