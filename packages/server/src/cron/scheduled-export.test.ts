import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CronWorld, SECRET, startCronWorld } from '../../test/log-export/cron-world.ts';
import { event, events } from '../../test/log-export/tenant-stand-in.ts';
import type { ControlPiece } from '../control/control-stream.ts';
import { type Json, objectsOf } from '../kit/json-values.ts';
import { encodeLogId } from '../logs/log-id.ts';
import { createJobCursors } from './job-cursors.ts';

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

describe('a scheduled export', () => {
  it('runs when it is due, once among several servers, and goes on from its checkpoint', async () => {
    tenant.has(events(120));
    await cron.schedule('nightly');
    const servers = [cron.server(), cron.server(), cron.server()];
    await Promise.all(servers.map(({ tick }) => tick()));
    expect(webhook.received).toHaveLength(0);
    await cron.whenDue(...servers);
    expect(new Set(webhook.ids()).size).toBe(120);
    expect(webhook.received).toHaveLength(120);
    expect(await cron.runs('nightly', 9)).toEqual([
      expect.objectContaining({ outcome: 'complete', exit_code: 0, read: 120, sent: 120, skipped: 0, lag_seconds: 0 }),
    ]);
    tenant.adds(event(121));
    await cron.whenDue(...servers);
    expect(webhook.received).toHaveLength(121);
    expect(await cron.jobs()).toMatchObject([
      { state: 'waiting', behind_since: null, last_run: { outcome: 'complete', sent: 1 } },
    ]);
  });

  it('begins anew where it is scheduled for another tenant, and goes on where it is not', async () => {
    tenant.has(events(3));
    const one = cron.server();
    await cron.schedule('nightly');
    await cron.whenDue(one);
    await cron.schedule('nightly', {}, { LOG_LEVEL: '1' });
    await cron.whenDue(one);
    expect(webhook.received).toHaveLength(3);
    await cron.schedule('nightly', {}, { AUTH0_DOMAIN: tenant.origin.replace('127.0.0.1', 'localhost') });
    await cron.whenDue(one);
    expect(webhook.received).toHaveLength(6);
  });

  it('says in its history and its output what failed, without its secrets', async () => {
    tenant.has(events(3));
    webhook.answers((number) => (number === 2 ? 500 : 200));
    await cron.schedule('nightly', {}, { WEBHOOK_CONCURRENT_CALLS: '1' });
    await cron.whenDue(cron.server());
    const [run = {}] = await cron.runs('nightly');
    expect(run).toMatchObject({
      outcome: 'failed',
      exit_code: 1,
      sent: 1,
      error: 'the webhook answered 500: the disk is full',
    });
    expect(objectsOf(run.lines).map(({ text }) => text)).toEqual([
      'No checkpoint yet: it begins with the oldest event.',
      expect.stringMatching(/^The event \d{56} \(f\) did not arrive: the webhook answered 500/),
      expect.stringContaining('Nothing later is sent before its batch has arrived'),
    ]);
    expect(cron.said.join()).toContain("The scheduled export 'nightly' ended with failed");
    expect(JSON.stringify([run, cron.said])).not.toMatch(new RegExp(`${SECRET}"|${webhook.url}`));
  });

  it('says what failed also where the webhook answers what no database stores', async () => {
    tenant.has(events(1));
    webhook.answers(() => 500);
    webhook.says(`\0${'a'.repeat(176)}😀 and more`);
    await cron.schedule('nightly');
    await cron.whenDue(cron.server());
    const [run = {}] = await cron.runs('nightly');
    expect(run).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(/^the webhook answered 500: \ufffda+/),
    });
    expect(objectsOf(run.lines).map(({ text }) => text)).toContainEqual(expect.stringContaining('did not arrive'));
    expect(await cron.jobs()).toMatchObject([{ state: 'waiting', behind_since: expect.any(String) }]);
  });

  it('that was scheduled anew while it ran has its next run at the new time', async () => {
    tenant.has(events(3));
    webhook.takes(300);
    await cron.schedule('nightly', { schedule: '*/5 * * * *' });
    const one = cron.server();
    world.advance(5 * MINUTE);
    await one.tick();
    const { next_run_at } = await cron.schedule('nightly', { schedule: '7 7 7 7 *' });
    await one.idle();
    expect(await cron.jobs()).toMatchObject([{ state: 'waiting', next_run_at }]);
  });

  it('has nothing to say of a job of the same name that came after it', async () => {
    const claimed = async () => {
      await cron.schedule('nightly');
      world.advance(5 * MINUTE);
      return world.app.stores.cronJobs.claim('dev', 'nightly', world.now(), world.now());
    };
    const before = await claimed();
    await cron.ask('cron-remove', { name: 'nightly' });
    const after = await claimed();
    if (!before || !after) throw new Error('Nobody else had them.');
    expect(await world.app.stores.cronJobs.renew(before)).toBe(false);
    expect(await world.app.stores.cronJobs.renew(after)).toBe(true);
  });

  it('tells once when it is fifteen minutes behind: by an event, a word to the operator, and a metric', async () => {
    const warnings = async () => (await world.events()).filter(({ type }) => type === 'w');
    tenant.has([event(1, 'f', { date: world.now().toISOString() })]);
    webhook.answers(() => 503);
    await cron.schedule('nightly');
    const servers = [cron.server(), cron.server()];
    await cron.whenDue(...servers);
    world.advance(9 * MINUTE);
    await Promise.all(servers.map(({ tick, idle }) => tick().then(idle)));
    expect(await warnings()).toEqual([]);
    world.advance(2 * MINUTE);
    await Promise.all(servers.map(({ tick, idle }) => tick().then(idle)));
    expect(servers[0]?.lagSeconds()).toBeGreaterThanOrEqual(900);
    expect(await warnings()).toMatchObject([{ details: { warning: 'log_export_behind', job: 'nightly' } }]);
    expect(cron.said.filter((line) => line.includes('minutes behind'))).toHaveLength(1);
    const alerts = async () => {
      world.advance(MINUTE);
      await world.app.logWatch.alerts.look();
      return (await world.api('read:logs').get('/gatewright/alerts')).json();
    };
    expect(await alerts()).toMatchObject([{ rule: 'export-behind', subject: 'nightly', status: 'open' }]);
    webhook.reset();
    await cron.whenDue(...servers);
    await servers[0]?.tick();
    await alerts();
    await alerts();
    expect(await alerts()).toMatchObject([{ rule: 'export-behind', status: 'resolved' }]);
    expect(servers[0]?.lagSeconds()).toBe(0);
    expect(await warnings()).toHaveLength(1);
  });

  it('ends at its limit, and the next run goes on where it was', async () => {
    tenant.has(events(100));
    webhook.takes(400);
    await cron.schedule('nightly', {}, { WEBHOOK_CONCURRENT_CALLS: '1' });
    await world.database.pool.query('update cron_jobs set limit_seconds = 2');
    const one = cron.server();
    await cron.whenDue(one);
    expect(await cron.runs('nightly')).toMatchObject([{ outcome: 'timeout', exit_code: 124 }]);
    const sent = webhook.received.length;
    expect(sent).toBeLessThan(20);
    webhook.takes(0);
    await world.database.pool.query('update cron_jobs set limit_seconds = 600');
    await cron.whenDue(one);
    expect(await cron.runs('nightly')).toMatchObject([{ outcome: 'complete', sent: 100 - sent }]);
    expect(webhook.received).toHaveLength(100);
  });

  it('ends where its server stops, and goes on at another one at once', async () => {
    tenant.has(events(40));
    webhook.takes(50);
    await cron.schedule('nightly', {}, { WEBHOOK_CONCURRENT_CALLS: '2' });
    const [one, other] = [cron.server(), cron.server()];
    world.advance(5 * MINUTE);
    await one.tick();
    while (webhook.received.length < 3) await sleep(10);
    await one.stop();
    expect(await cron.runs('nightly')).toMatchObject([{ outcome: 'stopped', exit_code: 143 }]);
    world.advance(1_000);
    await other.tick();
    await other.idle();
    expect(await cron.runs('nightly')).toMatchObject([{ outcome: 'complete' }]);
    expect(webhook.ids().toSorted()).toEqual([...new Set(webhook.ids())].toSorted());
    expect(webhook.received).toHaveLength(40);
  });

  it('ends where its job is removed, or another server has it by now', async () => {
    tenant.has(events(300));
    webhook.takes(20);
    await cron.schedule('nightly', {}, { WEBHOOK_CONCURRENT_CALLS: '10' });
    const one = cron.server();
    world.advance(5 * MINUTE);
    await one.tick();
    while (webhook.received.length < 3) await sleep(10);
    await world.database.pool.query('update cron_jobs set fence = fence + 1');
    await one.idle();
    // The batch under way is the last one, and its checkpoint is not theirs to keep.
    expect(webhook.received.length).toBeLessThanOrEqual(100);
    const { rows } = await world.database.pool.query('select checkpoint from cron_jobs');
    expect(rows).toEqual([{ checkpoint: null }]);
  });

  it('keeps what it has not read of its own log from ending: retention waits for it', async () => {
    const { stores, directory } = world.app;
    const cursors = createJobCursors({ cronJobs: stores.cronJobs, directory });
    await cron.schedule('elsewhere', {}, { AUTH0_DOMAIN: 'example.auth0.com' });
    expect(await cursors()).toEqual([]);
    await cron.schedule('here', {}, { AUTH0_DOMAIN: 'http://localhost:3000' });
    expect(await cursors()).toEqual([{ tenantId: 'dev', position: undefined }]);
    const position = { epoch: 0, xid: '41', seq: '7', day: '20261122' };
    await world.database.pool.query("update cron_jobs set checkpoint = $1 where name = 'here'", [
      encodeLogId(position),
    ]);
    expect(await cursors()).toEqual([{ tenantId: 'dev', position }]);
  });

  it('is followed while it runs', async () => {
    tenant.has(events(5));
    await cron.schedule('nightly');
    const pieces = (await cron.verbs['cron-follow']?.({ name: 'nightly' })) as AsyncIterable<ControlPiece>;
    const lines: Json[] = [];
    const one = cron.server();
    world.advance(5 * MINUTE);
    await one.tick();
    for await (const piece of pieces) {
      if ('data' in piece) lines.push(JSON.parse(piece.data.toString()));
      if (lines.some(({ text }) => String(text).startsWith('The log is exported'))) break;
    }
    await one.idle();
    expect(lines.at(-1)).toMatchObject({
      job: 'nightly',
      text: 'The log is exported: 5 sent, 0 filtered out, 5 read.',
    });
    expect(new Set(lines.map(({ text }) => text)).size).toBe(lines.length);
  });

  it('keeps the newest hundred runs, and the newest lines of each', async () => {
    await cron.schedule('nightly');
    const { cronRuns } = world.app.stores;
    for (let index = 0; index < 103; index++) {
      const startedAt = new Date(world.now().getTime() + index);
      await world.app.transact((stores) =>
        stores.cronRuns.begin('dev', { runId: `run_${index}`, name: 'nightly', startedAt }),
      );
    }
    const lines = Array.from({ length: 150 }, (_, index) => ({ at: '', text: String(index) }));
    const counts = { read: 1, sent: 1, skipped: 0 };
    await cronRuns.note('dev', 'run_102', lines, counts);
    await cronRuns.note('dev', 'run_102', lines, counts);
    const kept = await cronRuns.newest('dev', 'nightly', 200);
    expect(kept.map(({ runId }) => runId)).toEqual(Array.from({ length: 100 }, (_, index) => `run_${102 - index}`));
    expect(kept.map(({ outcome }) => outcome).slice(0, 2)).toEqual(['running', 'lost']);
    expect(kept[0]).toMatchObject({ lineCount: 300 });
    expect(kept[0]?.lines.map(({ text }) => text)).toEqual([...lines.slice(100), ...lines].map(({ text }) => text));
  });
});
