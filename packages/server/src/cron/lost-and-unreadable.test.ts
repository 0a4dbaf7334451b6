import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CronWorld, startCronWorld } from '../../test/log-export/cron-world.ts';
import { event, events } from '../../test/log-export/tenant-stand-in.ts';

const MINUTE = 60_000;

let cron: CronWorld;
let world: CronWorld['world'];
let tenant: CronWorld['tenant'];
let webhook: CronWorld['webhook'];
beforeAll(async () => {
  cron = await startCronWorld();
  ({ world, tenant, webhook } = cron);
});
afterEach(() => cron.reset());
afterAll(() => cron.stop());

const query = (text: string) => world.database.pool.query(text);

describe('a job that can’t be read', () => {
  it.each([
    ['its schedule', `schedule = 'every full moon'`, "'every full moon' is no schedule"],
    ['its time zone', `time_zone = 'Mars/Olympus'`, "'Mars/Olympus' is no time zone"],
    ['its settings', `settings = '\\x01020304'`, 'Its settings could not be decrypted any more'],
  ])(
    'for %s says so in its history and to the operator, and keeps no other job from running',
    async (_what, damage, words) => {
      tenant.has(events(3));
      // More than run at once, and due before the one that is well.
      for (const number of [1, 2, 3, 4, 5]) await cron.schedule(`broken-${number}`);
      await query(`update cron_jobs set ${damage}, next_run_at = next_run_at - interval '1 second'`);
      await cron.schedule('well');
      const one = cron.server();
      // All six are due at once, and four run at once, in whichever order.
      const allWhenDue = async () => {
        world.advance(5 * MINUTE);
        for (let look = 0; look < 3; look++) {
          await one.tick();
          await one.idle();
        }
      };
      await allWhenDue();
      expect(webhook.received).toHaveLength(3);
      expect(await cron.runs('broken-1')).toMatchObject([{ outcome: 'failed', error: expect.stringContaining(words) }]);
      expect(cron.said.filter((line) => line.includes('schedule it again'))).toHaveLength(5);
      const runs = await cron.runs('broken-1', 9);
      await one.tick();
      await one.idle();
      expect(await cron.runs('broken-1', 9)).toEqual(runs);
      await cron.schedule('broken-1');
      await allWhenDue();
      expect(await cron.runs('broken-1')).toMatchObject([{ outcome: 'complete' }]);
    },
  );

  it('is listed with the reason', async () => {
    await cron.schedule('broken');
    await query(`update cron_jobs set schedule = 'every full moon'`);
    expect(await cron.jobs()).toMatchObject([
      { state: 'unreadable', error: expect.stringContaining("'every full moon' is no schedule") },
    ]);
  });
});

describe('a server that was killed while it ran a job', () => {
  /** As a killed process leaves it: claimed, its run begun, ten of twenty events exported. */
  async function killedRun(serverName: string): Promise<void> {
    tenant.has(events(20));
    await cron.schedule('nightly', { schedule: '0 0 1 1 *' });
    await query(`update cron_jobs set next_run_at = '${world.now().toISOString()}'`);
    const nextYear = new Date(world.now().getTime() + 365 * 1_440 * MINUTE);
    const { cronJobs } = world.app.stores;
    const job = await cronJobs.claim('dev', 'nightly', world.now(), nextYear, serverName);
    if (!job) throw new Error('It was due.');
    await world.app.transact(({ cronRuns }) =>
      cronRuns.begin('dev', {
        runId: 'run_killed',
        name: 'nightly',
        startedAt: new Date(world.now().getTime() - MINUTE),
      }),
    );
    expect(await cronJobs.moveCheckpoint(job, String(event(10).log_id))).toBe(true);
  }

  it('takes it up where it was when it starts again, whatever the schedule says; another one leaves it alone', async () => {
    await killedRun('this one');
    const [other, again] = [cron.server('another one'), cron.server('this one')];
    other.start();
    await other.tick();
    await other.stop();
    expect(webhook.received).toHaveLength(0);
    again.start();
    await vi.waitFor(() => expect(webhook.received).toHaveLength(10), { timeout: 60_000, interval: 20 });
    await again.idle();
    await again.stop();
    expect(webhook.ids().toSorted()).toEqual(events(10, 'f', 11).map(({ log_id }) => log_id));
    expect(await cron.runs('nightly', 9)).toMatchObject([{ outcome: 'complete', sent: 10 }, { outcome: 'lost' }]);
  });

  it('leaves it to any other one once its lease is over, without waiting for the next time of the schedule', async () => {
    await killedRun('gone for ever');
    await query(`update cron_jobs set lease_until = now() - interval '1 second'`);
    const servers = [cron.server(), cron.server()];
    await Promise.all(servers.map(({ tick, idle }) => tick().then(idle)));
    expect(webhook.ids().toSorted()).toEqual(events(10, 'f', 11).map(({ log_id }) => log_id));
    await Promise.all(servers.map(({ tick, idle }) => tick().then(idle)));
    expect(webhook.received).toHaveLength(10);
  });
});

describe('gatewright cron logs -f', () => {
  it('reads of each run what it has not told, and nothing again', async () => {
    await cron.schedule('nightly');
    const { cronRuns } = world.app.stores;
    const startedAt = world.now();
    await world.app.transact((stores) => stores.cronRuns.begin('dev', { runId: 'run_1', name: 'nightly', startedAt }));
    const line = (text: string) => ({ at: '2026-11-22T10:00:00.000Z', text });
    const print = (...texts: string[]) =>
      cronRuns.note('dev', 'run_1', texts.map(line), { read: 0, sent: 0, skipped: 0 });
    await print('one', 'two');
    const since = (told: number) => cronRuns.since('dev', 'nightly', new Map([['run_1', told]]), 10);
    expect(await since(0)).toMatchObject([{ runId: 'run_1', lineCount: 2, lines: [line('one'), line('two')] }]);
    expect(await since(2)).toMatchObject([{ lineCount: 2, lines: [] }]);
    await print('three');
    expect(await since(2)).toMatchObject([{ lineCount: 3, lines: [line('three')] }]);
    await print(...Array.from({ length: 200 }, (_, index) => `later ${index}`));
    // The first line that was not told has made room.
    const [run] = await since(2);
    expect(run?.lines.map(({ text }) => text)).toEqual(Array.from({ length: 200 }, (_, index) => `later ${index}`));
    expect(await cronRuns.since('acme', 'nightly', new Map(), 10)).toEqual([]);
  });
});
