import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Recorder, startRecorder } from '../log-export/recorder.ts';
import { event, events, logId, startTenantStandIn, type TenantStandIn } from '../log-export/tenant-stand-in.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { call } from './calls.ts';
import { run, runToEnd } from './command.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
/** A record's members, the old ones in the order in which the old extension showed them. */
const MEMBERS = [
  ...['date', 'type', 'description', 'connection', 'client_id', 'client_name', 'ip', 'user_agent', 'details'],
  ...['user_id', 'user_name', 'strategy', 'strategy_type', '_id', 'isMobile'],
];

let webhook: Recorder;
beforeAll(async () => {
  webhook = await startRecorder();
});
afterEach(() => webhook.reset());
afterAll(() => webhook.stop());

describe('gatewright cron', { timeout: 150_000 }, () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServerProcess({ env: { GATEWRIGHT_WORKERS: '2' } });
  });
  afterAll(() => server.stop());
  const gatewright = (...args: string[]) => runToEnd(args, { env: { GATEWRIGHT_DATA_DIR: server.dataDir } });

  it('exports eleven wrong passwords, in order, once each, with the command line of the old extension', async () => {
    const { password_client, user, management } = server.firstRun;
    const secrets = {
      AUTH0_DOMAIN: server.httpOrigin,
      AUTH0_GLOBAL_CLIENT_ID: management.client_id,
      AUTH0_GLOBAL_CLIENT_SECRET: management.client_secret,
      LOG_LEVEL: '1',
      LOG_TYPES: 'f,fp,fu',
      WEBHOOK_URL: webhook.url,
      WEBHOOK_CONCURRENT_CALLS: '1',
    };
    for (let attempt = 0; attempt < 11; attempt++) {
      const form = {
        grant_type: 'password',
        username: user.email,
        password: `wrong horse ${attempt}`,
        ...password_client,
      };
      expect((await call(server.httpOrigin, '/oauth/token', { form })).status).not.toBe(200);
    }
    const options = Object.entries(secrets).flatMap(([name, value]) => ['--secret', `${name}=${value}`]);
    const scheduled = await gatewright(
      'cron',
      'schedule',
      '--name',
      'auth0-auth-api-hooks',
      ...options,
      '--json',
      '*/1 * * * * *',
      '../build/bundle.js',
    );
    expect(scheduled).toMatchObject({ code: 0, printed: expect.stringContaining('../build/bundle.js is not needed') });
    await vi.waitFor(() => expect(webhook.received).toHaveLength(11), PATIENCE);

    const following = run(['cron', 'logs', '-f'], { env: { GATEWRIGHT_DATA_DIR: server.dataDir } });
    await following.says('The log is exported: 0 sent');
    expect(await following.end('SIGINT')).toMatchObject({ code: 0 });
    expect(webhook.ids()).toEqual([...new Set(webhook.ids())].toSorted());
    expect(webhook.ids()).toHaveLength(11);
    for (const { headers, body } of webhook.received) {
      expect(Object.keys(body).slice(0, MEMBERS.length)).toEqual(MEMBERS);
      expect(headers['webhook-id']).toBe(body._id);
      expect(body).toMatchObject({
        type: expect.stringMatching(/^(f|fp|fu)$/),
        description: 'Wrong email or password.',
        strategy: 'auth0',
      });
    }
    expect(JSON.stringify(webhook.received)).not.toContain('wrong horse');

    const listed = await gatewright('cron', 'ls', '--json');
    expect(JSON.parse(listed.printed).jobs).toMatchObject([{ name: 'auth0-auth-api-hooks', behind_since: null }]);
    const history = await gatewright('cron', 'logs', 'auth0-auth-api-hooks', '--runs', '100', '--json');
    expect(JSON.parse(history.printed).runs).toContainEqual(
      expect.objectContaining({ outcome: 'complete', exit_code: 0, sent: 11, lag_seconds: 0 }),
    );
    const shown = [listed, scheduled, history, await gatewright('cron', 'ls')];
    for (const { printed } of shown)
      expect(printed).not.toMatch(new RegExp(`${management.client_secret}|${webhook.url}`));
    expect(server.log()).not.toMatch(/error/i);
    const { body } = await call(server.httpOrigin, '/metrics');
    expect(String(body.text)).toMatch(/^gatewright_export_lag_seconds 0$/m);
    expect(await gatewright('cron', 'rm', 'auth0-auth-api-hooks')).toMatchObject({ code: 0 });
    expect(await gatewright('cron', 'ls')).toMatchObject({ printed: expect.stringContaining('Nothing is scheduled') });
  });

  it.each([
    [['schedule', '* * * * *'], /required option '--name <name>'/],
    [
      ['schedule', '--name', 'x', '--secret', 'LOG_TYPES=sx', '* * * * *'],
      /LOG_TYPES: 'sx' is no type of events; the nearest is/,
    ],
    [['schedule', '--name', 'x', '--secret', 'NOT_SET', '* * * * *'], /NOT_SET has no value/],
    [['rm', 'nobody'], /There is no job 'nobody'/],
  ])('says what is wrong with %j, and ends with 1', async (args, words) => {
    expect(await gatewright('cron', ...args)).toEqual({ code: 1, printed: expect.stringMatching(words) });
  });

  it('takes the value of a setting from the environment, and stops with the server', async () => {
    const { management } = server.firstRun;
    const env = { GATEWRIGHT_DATA_DIR: server.dataDir, AUTH0_CLIENT_SECRET: management.client_secret };
    const settings = [
      `AUTH0_DOMAIN=${server.origin}`,
      `AUTH0_CLIENT_ID=${management.client_id}`,
      'AUTH0_CLIENT_SECRET',
      `WEBHOOK_URL=${webhook.url}`,
    ];
    webhook.takes(300);
    const options = settings.flatMap((setting) => ['--secret', setting]);
    const { code } = await runToEnd(['cron', 'schedule', '--name', 'all', ...options, '* * * * * *'], { env });
    expect(code).toBe(0);
    await vi.waitFor(() => expect(webhook.received.length).toBeGreaterThan(0), PATIENCE);
    // While a run is under way; it fails where the server does not end with 0.
    await server.drain();
    const sent = webhook.received.length;
    await sleep(500);
    expect(webhook.received).toHaveLength(sent);
  });
});

describe('gatewright export-logs', () => {
  let tenant: TenantStandIn;
  beforeAll(async () => {
    tenant = await startTenantStandIn();
  });
  afterAll(() => tenant.stop());

  async function place() {
    const folder = await temporaryFolder();
    const env = {
      GATEWRIGHT_DATA_DIR: folder,
      AUTH0_DOMAIN: tenant.origin,
      AUTH0_CLIENT_ID: 'id',
      AUTH0_CLIENT_SECRET: 'right',
      WEBHOOK_URL: webhook.url,
    };
    const file = join(folder, 'state.json');
    const args = ['export-logs', '--state', file];
    return { env, args, state: async () => JSON.parse(await readFile(file, 'utf8')) };
  }
  const numbers = (to: number) => Array.from({ length: to }, (_, index) => logId(index + 1));

  it('stops where the webhook fails, says at which event and why, and begins with the batch the next time', async () => {
    const { env, args, state } = await place();
    tenant.has(events(100));
    webhook.answers((number) => (number === 37 ? 500 : 200));
    const failed = await runToEnd([...args, '--webhook-concurrent-calls', '5'], { env });
    expect(failed.code).toBe(1);
    expect(failed.printed).toMatch(/The event \d{56} \(f\) did not arrive: the webhook answered 500: the disk is full/);
    expect(failed.printed).toMatch(/The oldest event that waits is \d+ (min|h) old/);
    expect(webhook.received.length).toBeLessThanOrEqual(36 + 5);
    expect((await state()).checkpoint).toBeUndefined();
    webhook.reset();
    const { code, printed } = await runToEnd([...args, '--json'], { env });
    const report = JSON.parse(printed.split('\n').find((line) => line.includes('"outcome"')) ?? '');
    expect({ code, report }).toMatchObject({
      code: 0,
      report: { outcome: 'complete', sent: 100, lag_seconds: 0, checkpoint: logId(100) },
    });
    expect(webhook.ids().toSorted()).toEqual(numbers(100));
    expect(await state()).toMatchObject({ checkpoint: logId(100), last_run: { outcome: 'complete' } });
  });

  it('loses nothing when it is killed, and repeats a batch at most; meanwhile no second run begins', async () => {
    const { env, args } = await place();
    tenant.has(events(300));
    webhook.takes(10);
    const killed = run(args, { env });
    await vi.waitFor(() => expect(webhook.received.length).toBeGreaterThan(150), PATIENCE);
    // Those in flight hold it, however long the second one takes to begin.
    webhook.takes(20_000);
    expect(await runToEnd(args, { env })).toEqual({ code: 1, printed: expect.stringContaining('one run at a time') });
    await killed.end('SIGKILL');
    webhook.takes(0);
    expect(await runToEnd(args, { env })).toMatchObject({ code: 0 });
    expect([...new Set(webhook.ids())].toSorted()).toEqual(numbers(300));
    expect(webhook.received.length).toBeLessThanOrEqual(400);
  });

  it('lets those in flight finish at SIGTERM, keeps its place, and ends with 143', async () => {
    const { env, args } = await place();
    tenant.has(events(200));
    webhook.takes(20);
    const stopped = run(args, { env });
    await vi.waitFor(() => expect(webhook.received.length).toBeGreaterThan(20), PATIENCE);
    expect(await stopped.end('SIGTERM')).toMatchObject({ code: 143 });
    webhook.takes(0);
    tenant.adds(event(201));
    expect(await runToEnd(args, { env })).toMatchObject({ code: 0 });
    expect(webhook.ids().toSorted()).toEqual(numbers(201));
  });

  it('has one batch in memory at a time, however long the log is', async () => {
    const { env, args } = await place();
    const details = { body: 'x'.repeat(40_000) };
    tenant.has(Array.from({ length: 3_000 }, (_, index) => event(index + 1, 'f', { details })));
    const { code, printed } = await runToEnd([...args, '--log-types', 's'], {
      env: { ...env, NODE_OPTIONS: '--max-old-space-size=64' },
    });
    expect({ code, printed }).toEqual({ code: 0, printed: expect.stringContaining('0 sent, 3000 filtered out') });
  });

  it('lists the types of events with their levels', async () => {
    const { code, printed } = await runToEnd(['export-logs', '--list-types']);
    expect(code).toBe(0);
    expect(printed).toMatch(/^limit_wc +4 {2}Blocked Account$/m);
    expect(printed).toMatch(/^sepft +-$/m);
  });

  it('names every fault of its settings', async () => {
    const { code, printed } = await runToEnd(['export-logs', '--log-level', '7'], {
      env: { WEBHOOK_URL: webhook.url },
    });
    expect({ code, printed }).toEqual({
      code: 1,
      printed: expect.stringMatching(/4 faults:.*AUTH0_DOMAIN is missing.*LOG_LEVEL must be/s),
    });
  });
});
