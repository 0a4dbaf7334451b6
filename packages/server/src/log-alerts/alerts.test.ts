import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWorld, type World, type WorldTenant } from '../../test/world.ts';
import { MOST_OF_A_RULE } from './scan-counts.ts';

interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let world: World;
let acme: WorldTenant;
let receiver: Server;
let received: Received[] = [];
let status = 200;
let words = '';
beforeAll(async () => {
  world = await startWorld();
  acme = await world.createTenant('acme');
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status).end(words);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await world.stop();
  receiver.closeAllConnections();
  receiver.close();
});
beforeEach(async () => {
  received = [];
  status = 200;
  words = '';
  // What an earlier test left under way is over two hours later.
  world.advance(2 * HOUR);
  for (const table of ['log_alerts', 'log_alert_notices', 'log_alert_settings', 'log_rollups'])
    await query(`delete from ${table}`);
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WEEK = 7 * 24 * HOUR;

describe('a week of 10,000 events with three anomalies in it', () => {
  it('gives three alerts that name whom they are about, and no other; each opens once and resolves once', async () => {
    await receiveAt('json');
    // Noise: the same hours a week ago and today, one attempt of twenty fails, from many addresses and users.
    const now = world.now().getTime();
    const hour = Math.floor(now / HOUR) * HOUR;
    for (const begin of [hour - WEEK, hour - WEEK + HOUR, hour, hour + HOUR])
      await events(2_300, begin, HOUR, `case when i % 20 = 0 then 'fp' else 's' end`);
    // 1: the application "sync" runs into a limit.
    await events(40, hour + 10 * MINUTE, MINUTE, `'limit_ui'`, { client: `'sync'` });
    // 2: passwords are tried from one address, a user each.
    await events(110, hour + 25 * MINUTE, 3 * MINUTE, `'fu'`, { ip: `'203.0.113.66'`, user: `'guess-' || i` });
    // 3: half an hour after the next hour began a rule fails in every other login of an application.
    await events(650, hour + 90 * MINUTE, 10 * MINUTE, `'f'`, {
      client: `'portal'`,
      rule: `'Require a contract'`,
    });
    expect(
      Number(
        (await query(`select count(*) as n from log_events where client_id in ('sync', 'portal', 'app-1', 'app-2')`))[0]
          ?.n,
      ),
    ).toBe(10_000);

    const opened: string[] = [];
    for (let minute = 0; minute < 130; minute += 2) {
      world.advance(hour + minute * MINUTE - world.now().getTime());
      await look();
    }
    const alerts = await list();
    for (const { rule } of alerts) opened.push(rule);
    expect(opened.toReversed()).toEqual(['rate-limit', 'failures-of-address', 'error-ratio']);
    const [ratio, address, limit] = alerts;
    expect(limit).toMatchObject({ subject: 'sync', status: 'resolved', count: 40, types: ['limit_ui'] });
    expect(limit.summary).toContain('The application sync reached a rate limit at /userinfo');
    expect(address).toMatchObject({ subject: '203.0.113.66', status: 'resolved' });
    expect(ratio).toMatchObject({ rule_name: 'Require a contract', status: 'resolved' });
    expect(ratio.summary).toContain("Most of them come of the rule 'Require a contract'.");
    expect(ratio.ratio).toBeGreaterThan(3 * ratio.ratio_last_week);

    const told = received.map(({ body }) => JSON.parse(body));
    expect(told.flatMap((notice) => notice.opened).map(({ rule }) => rule)).toEqual(opened.toReversed());
    expect(told.flatMap((notice) => notice.resolved)).toHaveLength(3);
    expect((await world.apiAt(acme, 'read:logs').get('/gatewright/alerts')).json()).toEqual([]);
  });
});

describe('alerts', () => {
  it('are one message for all that one look finds, signed, by webhook and by mail', async () => {
    const secret = await receiveAt('json', ['ops@example.org']);
    const now = world.now().getTime();
    await events(1, now - MINUTE, 1, `'api_limit'`, { client: `'one'` });
    await events(1, now - MINUTE, 1, `'api_limit'`, { client: `'two'` });
    await look();
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [Received];
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(JSON.parse(body)).toMatchObject({ type: 'gatewright.alerts', tenant: 'dev', resolved: [] });
    expect(
      JSON.parse(body)
        .opened.map(({ subject }: { subject: string }) => subject)
        .sort(),
    ).toEqual(['one', 'two']);
    const [mail] = await world.app.stores.mails.list('dev', 1);
    expect(mail).toMatchObject({ to: 'ops@example.org', subject: '2 alerts: dev', template: 'log_alert' });
    const found = await world.app.stores.mails.find('dev', mail?.mailId ?? '');
    expect(found?.text).toContain('The application one reached a rate limit');
  });

  it('tell a chat in its own form, and what they quote is no markup there or in a mail', async () => {
    await receiveAt('slack', ['ops@example.org']);
    await events(40, world.now().getTime() - MINUTE, MINUTE, `'fu'`, {
      ip: `'10.0.' || i || '.1'`,
      user: `'<!channel><b>'`,
    });
    await look();
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      text: expect.stringContaining('Opened: 40 logins of the user &lt;!channel&gt;&lt;b&gt; failed'),
    });
    const [mail] = await world.app.stores.mails.list('dev', 1);
    const found = await world.app.stores.mails.find('dev', mail?.mailId ?? '');
    expect(found?.html).toContain('&lt;!channel&gt;&lt;b&gt;');
    expect(found?.html).not.toContain('<b>');
  });

  it('are found once though several processes look, and resolved after two quiet looks', async () => {
    await events(5, world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await count();
    const second = await world.secondServer();
    const { alerts } = world.app.logWatch;
    await Promise.all(Array.from({ length: 5 }, () => alerts.look()));
    await second.stop();
    expect(await list()).toMatchObject([{ status: 'open', subject: 'sync' }]);
    await steps(3);
    expect(await list()).toMatchObject([{ status: 'open' }]);
    await steps(5);
    expect(await list()).toMatchObject([{ status: 'resolved', resolved_at: expect.any(String) }]);
  });

  it('tell of events that went before a log stream had them', async () => {
    await events(1, world.now().getTime() - MINUTE, 1, `'resource_cleanup'`);
    await look();
    expect(await list()).toMatchObject([
      { rule: 'log-gap', subject: '', suggestion: expect.stringContaining('logs retention') },
    ]);
  });

  it('go on while it stays loud: no second one, no second message', async () => {
    await receiveAt('json');
    for (let minute = 0; minute < 12; minute++) {
      await events(8, world.now().getTime() - 30_000, 20_000, `'fp'`, { ip: `'203.0.113.5'` });
      await steps(1);
    }
    expect(await list()).toMatchObject([{ rule: 'failures-of-address', status: 'open' }]);
    expect(received).toHaveLength(1);
    // Fewer than what opens one, more than what is quiet.
    for (let minute = 0; minute < 8; minute++) {
      await events(3, world.now().getTime() - 30_000, 20_000, `'fp'`, { ip: `'203.0.113.5'` });
      await steps(1);
    }
    expect(await list()).toMatchObject([{ status: 'open' }]);
    await steps(7);
    expect(received).toHaveLength(2);
    expect(JSON.parse(received[1]?.body ?? '')).toMatchObject({ opened: [], resolved: [{ subject: '203.0.113.5' }] });
  });

  it('are bounded, whatever addresses an attacker has', async () => {
    await receiveAt('json');
    await events(4_000, world.now().getTime() - MINUTE, MINUTE, `'fu'`, {
      ip: `'203.0.113.' || i % 100`,
      user: `'u' || i`,
    });
    await events(2_000, world.now().getTime() - MINUTE, MINUTE, `'fu'`, {
      ip: `'10.' || i / 250 || '.' || i % 250 || '.1'`,
      user: `'v' || i`,
    });
    await look();
    const alerts = await list();
    expect(alerts.length).toBeLessThanOrEqual(MOST_OF_A_RULE + 1);
    expect(alerts.filter(({ subject }) => subject === '*')).toHaveLength(1);
    expect(received).toHaveLength(1);
  });

  it('that are muted are listed and sent to nobody, until then', async () => {
    await receiveAt('json');
    const limited = () => events(1, world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await limited();
    await look();
    const [{ id }] = await list();
    const muted = await world.api('update:tenant_settings').patch(`/gatewright/alerts/${id}`, { mute_hours: 3 });
    expect([muted.statusCode, muted.json().muted_until]).toEqual([200, expect.any(String)]);
    await steps(9);
    await limited();
    await steps(1);
    expect(await list()).toMatchObject([{ status: 'open' }, { status: 'resolved' }]);
    expect(received).toHaveLength(1);
    world.advance(4 * HOUR);
    await steps(2);
    await limited();
    await steps(1);
    expect(JSON.parse(received.at(-1)?.body ?? '').opened).toHaveLength(1);
  });

  it('are sent again where the webhook fails, with the same id, and in the end the log says that they were not', async () => {
    await receiveAt('json');
    status = 500;
    await events(1, world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await look();
    for (let attempt = 0; attempt < 6; attempt++) {
      world.advance(80 * MINUTE);
      await world.app.logWatch.alerts.sendDue();
    }
    expect(received).toHaveLength(6);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const failed = (await world.api().get('/logs?q=type:fn')).json();
    expect(failed).toMatchObject([{ description: expect.stringContaining('It answered with the status 500.') }]);
  });

  it('are not sent again where the webhook has taken them, whatever it says besides', async () => {
    await receiveAt('json');
    words = 'a'.repeat(100_000);
    await events(1, world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await look();
    expect(received).toHaveLength(1);
    expect(await query('select from log_alert_notices')).toEqual([]);
  });

  it('have a line each, whatever name somebody tried to log in with', async () => {
    await receiveAt('slack');
    await events(25, world.now().getTime() - MINUTE, 1, `'fp'`, { user: `E'ada\\nResolved: all is well'` });
    await look();
    const { text } = JSON.parse(received[0]?.body ?? '');
    expect(text.split('\n')).toEqual([
      expect.stringContaining('tenant dev'),
      expect.stringContaining('the user ada resolved: all is well failed'),
    ]);
  });

  it('reach no address that the server must not call', async () => {
    await world.apiAt(acme).put('/gatewright/alert-settings', { webhook: { url: 'https://169.254.169.254/latest' } });
    await events(1, world.now().getTime() - MINUTE, 1, `'api_limit'`, { tenant: 'acme' });
    await look();
    const notices = await query(`select attempts from log_alert_notices where tenant_id = 'acme'`);
    expect(notices).toEqual([{ attempts: 1 }]);
  });

  it('of another tenant are not there', async () => {
    await events(1, world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await look();
    const [{ id }] = await list();
    const stranger = world.apiAt(acme);
    expect((await stranger.get(`/gatewright/alerts/${id}`)).statusCode).toBe(404);
    expect((await stranger.patch(`/gatewright/alerts/${id}`, { mute_hours: 1 })).statusCode).toBe(404);
  });
});

/** Settings of the tenant `dev` that lead to the receiver; the secret. */
async function receiveAt(format: 'json' | 'slack', mailTo: readonly string[] = []): Promise<string> {
  const { port } = receiver.address() as AddressInfo;
  const webhook = { url: `http://127.0.0.1:${port}/alerts`, format };
  const response = await world.api().put('/gatewright/alert-settings', { webhook, mail_to: mailTo });
  return response.json().signing_secret;
}

/** So many events, spread over a time. The others are SQL, over `i`. */
async function events(
  n: number,
  begin: number,
  length: number,
  type: string,
  {
    tenant = 'dev',
    client = `'app-' || 1 + i % 2`,
    ip = `'192.0.' || i % 100 || '.' || i % 250`,
    user = `'user-' || i % 500`,
    rule = 'null',
  } = {},
): Promise<void> {
  await query(
    `insert into log_events (tenant_id, type, client_id, ip, body, at)
     select '${tenant}', ${type}, ${client}, ${ip},
       jsonb_build_object('user_name', ${user}, 'details', jsonb_build_object('rule', jsonb_build_object('name', ${rule}))),
       $1::timestamptz + (i - 1) * ($2::float8 / ${Math.max(1, n)}) * interval '1 millisecond'
     from generate_series(1, ${n}) i`,
    [new Date(begin), length],
  );
}

/** All that is written is counted: the horizon is the cluster's, and other tests write there. */
async function count(): Promise<void> {
  await vi.waitFor(
    async () => {
      await world.app.logWatch.rollups.catchUp();
      const [row] = await query(`select count(*) as n from log_events, log_rollup_state s
        where (log_events.epoch, log_events.xid, log_events.seq) > (s.epoch, s.xid, s.seq)`);
      expect(Number(row?.n)).toBe(0);
    },
    { timeout: 20_000, interval: 20 },
  );
}

async function look(): Promise<void> {
  await count();
  await world.app.logWatch.alerts.look();
  await world.app.logWatch.alerts.sendDue();
}

async function steps(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    world.advance(MINUTE);
    await look();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: rows of the API, looked at member by member
async function list(): Promise<any[]> {
  return (await world.api('read:logs').get('/gatewright/alerts')).json();
}

async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await world.database.pool.query(text, values)).rows;
}
