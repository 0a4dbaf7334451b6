import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startReceiver } from '../log-streams/receiver.ts';
import { createStreamAt, idsOf, writtenIn } from '../log-streams/stream-server.ts';
import { startServerProcess } from '../server-process.ts';
import { createTestDatabase } from '../test-database.ts';

/** Of Debian's package libfaketime, or FAKETIME_LIBRARY. The variant for threads: Node has some. */
const LIBRARY = [
  process.env.FAKETIME_LIBRARY ?? '',
  ...['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`),
].find((path) => existsSync(path));
if (LIBRARY === undefined)
  console.warn('Left out: a real process whose clock jumps (F7). Debian has it: apt-get install faketime.');

const PATIENCE = { timeout: 60_000, interval: 100 };

describe.skipIf(LIBRARY === undefined)('A server whose clock jumps by a day, ahead and back (F7)', () => {
  it('skips and repeats no event, keeps its lease, and says each jump once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatewright-clock-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const clock = join(folder, 'clock');
    const set = (offset: string) => writeFile(clock, `${offset}\n`);
    await set('+0d');
    const [receiver, database] = await Promise.all([startReceiver(), createTestDatabase({ migrated: false })]);
    onTestFinished(() => Promise.all([receiver.close(), database.drop()]).then(() => {}));
    const server = await startServerProcess({
      database: 'embedded',
      env: {
        DATABASE_URL: database.url,
        GATEWRIGHT_BOOTSTRAP: '1',
        HTTPS_PORT: '0',
        // Each of them has the same clock: one of them says it.
        GATEWRIGHT_WORKERS: '2',
        LD_PRELOAD: LIBRARY ?? '',
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    onTestFinished(() => server.stop());
    const id = await createStreamAt(server.httpOrigin, server.firstRun, receiver);
    const lease = async () => {
      const { rows } = await database.pool.query<{ owner: string; fence: string; seconds: number; at: string }>(
        `select owner, fence, extract(epoch from lease_until - clock_timestamp())::float8 as seconds,
           lpad(epoch::text, 3, '0') || lpad(xid::text, 20, '0') || lpad(seq::text, 19, '0') as at
         from log_stream_deliveries where stream_id = $1`,
        [id],
      );
      return rows[0];
    };
    await vi.waitFor(async () => expect((await lease())?.owner).toBeTruthy(), PATIENCE);
    const jumps = async () => {
      const { rows } = await database.pool.query<{ seconds: number }>(
        `select (body -> 'details' ->> 'seconds')::int as seconds from log_events e
         where body -> 'details' ->> 'warning' = 'clock_jumped' order by e.epoch, e.xid, e.seq`,
      );
      return rows.map(({ seconds }) => Math.round(seconds / 86_400));
    };
    const before = await lease();
    const cursors: string[] = [];
    let expected = 0;
    for (const [jump, offset] of ['+0d', '+1d', '-1d', '+0d'].entries()) {
      await set(offset);
      for (let count = 0; count < 20; count++)
        await database.pool.query(`insert into log_events (tenant_id, type, body) values ('dev', 's', '{}')`);
      expected += 20;
      await vi.waitFor(() => expect(idsOf(receiver.requests, 's')).toHaveLength(expected), PATIENCE);
      await vi.waitFor(async () => expect(await jumps()).toHaveLength(jump), PATIENCE);
      // The database's time, and the same owner: its renewals go on.
      const after = await vi.waitFor(async () => {
        const now = await lease();
        expect(now?.seconds).toBeGreaterThan(9);
        return now;
      }, PATIENCE);
      expect([after?.owner, after?.fence]).toEqual([before?.owner, before?.fence]);
      expect(after?.seconds).toBeLessThanOrEqual(12);
      cursors.push(after?.at ?? '');
    }
    expect(idsOf(receiver.requests, 's').toSorted()).toEqual((await writtenIn(database.pool, 's')).toSorted());
    expect(cursors).toEqual(cursors.toSorted());
    expect(await jumps()).toEqual([1, -2, 1]);
    expect(server.log().match(/The clock of this server jumped/g)).toHaveLength(3);
  });
});
