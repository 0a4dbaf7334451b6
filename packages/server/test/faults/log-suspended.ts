import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startReceiver } from '../log-streams/receiver.ts';
import { createStreamAt, idsOf, writtenIn } from '../log-streams/stream-server.ts';
import { startServerProcess } from '../server-process.ts';
import { createTestDatabase } from '../test-database.ts';

const SHARED = { GATEWRIGHT_SECRET: 'wV9mG2xQ7tR4kZ1pL6nB3cY8sD5fH0jA', GATEWRIGHT_BOOTSTRAP: '1', HTTPS_PORT: '0' };

describe('Two servers, of which the one that delivers is suspended past its lease (F9)', () => {
  it('the other one goes on; when the first wakes up, its checkpoint counts no more and the cursor never moves back', async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.close());
    const database = await createTestDatabase({ migrated: false });
    onTestFinished(() => database.drop());
    const env = { ...SHARED, DATABASE_URL: database.url };
    const first = await startServerProcess({ env, database: 'embedded' });
    onTestFinished(() => first.stop());
    const id = await createStreamAt(first.httpOrigin, first.firstRun, receiver);
    const delivery = async () => {
      const { rows } = await database.pool.query<{ owner: string; fence: string; at: string }>(
        `select owner, fence, lpad(epoch::text, 3, '0') || lpad(xid::text, 20, '0') || lpad(seq::text, 19, '0') as at
         from log_stream_deliveries where stream_id = $1`,
        [id],
      );
      return rows[0] ?? { owner: '', fence: '', at: '' };
    };
    await vi.waitFor(async () => expect((await delivery()).owner).toBeTruthy(), { timeout: 20_000 });
    const before = await delivery();
    // The second one has a folder, and a first run, of nobody: the tenant is there already.
    const second = await startSecond(env);

    let isDone = false;
    const cursors: string[] = [];
    const traffic = (async () => {
      while (!isDone) {
        await database.pool.query(
          `insert into log_events (tenant_id, type, body) select 'dev', 's', '{}' from generate_series(1, 5)`,
        );
        cursors.push((await delivery()).at);
        await sleep(20);
      }
    })();
    await vi.waitFor(() => expect(idsOf(receiver.requests, 's').length).toBeGreaterThan(50), { timeout: 30_000 });
    process.kill(first.pid, 'SIGSTOP');
    try {
      await vi.waitFor(async () => expect((await delivery()).owner).not.toBe(before.owner), {
        timeout: 60_000,
        interval: 200,
      });
      await sleep(1_000);
    } finally {
      process.kill(first.pid, 'SIGCONT');
    }
    await sleep(3_000);
    isDone = true;
    await traffic;
    const after = await delivery();
    expect(BigInt(after.fence)).toBeGreaterThan(BigInt(before.fence));
    expect(after.owner).not.toBe(before.owner);
    expect(cursors).toEqual(cursors.toSorted());
    const written = await writtenIn(database.pool, 's');
    await vi.waitFor(() => expect(new Set(idsOf(receiver.requests, 's')).size).toBe(written.length), {
      timeout: 60_000,
      interval: 250,
    });
    const repeated = idsOf(receiver.requests, 's').length - written.length;
    console.info(`suspended past its lease: ${written.length} events, none lost, ${repeated} repeated`);
    await second.stop();
  });
});

async function startSecond(env: Readonly<Record<string, string>>) {
  const { place, run } = await import('../operations/command.ts');
  const other = await place();
  const command = run(['start'], { env: { ...other.env, ...env } });
  await command.says('Ready after');
  return { stop: () => command.end('SIGTERM') };
}
