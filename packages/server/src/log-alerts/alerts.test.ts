import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AlertWorld, HOUR, MINUTE, startAlertWorld } from '../../test/alert-world.ts';
import { MOST_OF_A_RULE } from './scan-counts.ts';

let watched: AlertWorld;
beforeAll(async () => {
  watched = await startAlertWorld();
});
afterAll(() => watched.stop());
beforeEach(() => watched.begin());

const WEEK = 7 * 24 * HOUR;

describe('a week of 10,000 events with three anomalies in it', () => {
  it('gives three alerts that name whom they are about, and no other; each opens once and resolves once', async () => {
    await watched.receiveAt('json');
    // Noise: the same hours a week ago and today, one attempt of twenty fails, from many addresses and users.
    const now = watched.world.now().getTime();
    const hour = Math.floor(now / HOUR) * HOUR;
    for (const begin of [hour - WEEK, hour - WEEK + HOUR, hour, hour + HOUR])
      await watched.events(2_300, begin, HOUR, `case when i % 20 = 0 then 'fp' else 's' end`);
    // 1: the application "sync" runs into a limit.
    await watched.events(40, hour + 10 * MINUTE, MINUTE, `'limit_ui'`, { client: `'sync'` });
    // 2: passwords are tried from one address, a user each.
    await watched.events(110, hour + 25 * MINUTE, 3 * MINUTE, `'fu'`, { ip: `'203.0.113.66'`, user: `'guess-' || i` });
    // 3: half an hour after the next hour began a rule fails in every other login of an application.
    await watched.events(650, hour + 90 * MINUTE, 10 * MINUTE, `'f'`, {
      client: `'portal'`,
      rule: `'Require a contract'`,
    });
    const [written] = await watched.query(
      `select count(*)::integer as n from log_events where client_id in ('sync', 'portal', 'app-1', 'app-2')`,
    );
    expect(written?.n).toBe(10_000);

    const opened: string[] = [];
    for (let minute = 0; minute < 130; minute += 2) {
      watched.world.advance(hour + minute * MINUTE - watched.world.now().getTime());
      await watched.look();
    }
    const alerts = await watched.list();
    for (const { rule } of alerts) opened.push(rule);
    expect(opened.toReversed()).toEqual(['rate-limit', 'failures-of-address', 'error-ratio']);
    const [ratio, address, limit] = alerts;
    expect(limit).toMatchObject({ subject: 'sync', status: 'resolved', count: 40, types: ['limit_ui'] });
    expect(limit.summary).toContain('The application sync reached a rate limit at /userinfo');
    expect(address).toMatchObject({ subject: '203.0.113.66', status: 'resolved' });
    expect(ratio).toMatchObject({ rule_name: 'Require a contract', status: 'resolved' });
    expect(ratio.summary).toContain("Most of them come of the rule 'Require a contract'.");
    expect(ratio.ratio).toBeGreaterThan(3 * ratio.ratio_last_week);

    const told = watched.received.map(({ body }) => JSON.parse(body));
    expect(told.flatMap((notice) => notice.opened).map(({ rule }) => rule)).toEqual(opened.toReversed());
    expect(told.flatMap((notice) => notice.resolved)).toHaveLength(3);
    expect((await watched.world.apiAt(watched.acme, 'read:logs').get('/gatewright/alerts')).json()).toEqual([]);
  });
});

describe('alerts', () => {
  it('are found once though several processes look, and resolved after two quiet looks', async () => {
    await watched.events(5, watched.world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await watched.count();
    const second = await watched.world.secondServer();
    const { alerts } = watched.world.app.logWatch;
    await Promise.all(Array.from({ length: 5 }, () => alerts.look()));
    await second.stop();
    expect(await watched.list()).toMatchObject([{ status: 'open', subject: 'sync' }]);
    await watched.steps(3);
    expect(await watched.list()).toMatchObject([{ status: 'open' }]);
    await watched.steps(5);
    expect(await watched.list()).toMatchObject([{ status: 'resolved', resolved_at: expect.any(String) }]);
  });

  it('tell of events that went before a log stream had them', async () => {
    await watched.events(1, watched.world.now().getTime() - MINUTE, 1, `'resource_cleanup'`);
    await watched.look();
    expect(await watched.list()).toMatchObject([
      { rule: 'log-gap', subject: '', suggestion: expect.stringContaining('logs retention') },
    ]);
  });

  it('go on while it stays loud: no second one, no second message', async () => {
    await watched.receiveAt('json');
    for (let minute = 0; minute < 12; minute++) {
      await watched.events(8, watched.world.now().getTime() - 30_000, 20_000, `'fp'`, { ip: `'203.0.113.5'` });
      await watched.steps(1);
    }
    expect(await watched.list()).toMatchObject([{ rule: 'failures-of-address', status: 'open' }]);
    expect(watched.received).toHaveLength(1);
    // Fewer than what opens one, more than what is quiet.
    for (let minute = 0; minute < 8; minute++) {
      await watched.events(3, watched.world.now().getTime() - 30_000, 20_000, `'fp'`, { ip: `'203.0.113.5'` });
      await watched.steps(1);
    }
    expect(await watched.list()).toMatchObject([{ status: 'open' }]);
    await watched.steps(7);
    expect(watched.received).toHaveLength(2);
    expect(JSON.parse(watched.received[1]?.body ?? '')).toMatchObject({
      opened: [],
      resolved: [{ subject: '203.0.113.5' }],
    });
  });

  it('are bounded, whatever addresses an attacker has', async () => {
    await watched.receiveAt('json');
    await watched.events(4_000, watched.world.now().getTime() - MINUTE, MINUTE, `'fu'`, {
      ip: `'203.0.113.' || i % 100`,
      user: `'u' || i`,
    });
    await watched.events(2_000, watched.world.now().getTime() - MINUTE, MINUTE, `'fu'`, {
      ip: `'10.' || i / 250 || '.' || i % 250 || '.1'`,
      user: `'v' || i`,
    });
    await watched.look();
    const alerts = await watched.list();
    expect(alerts.length).toBeLessThanOrEqual(MOST_OF_A_RULE + 1);
    expect(alerts.filter(({ subject }) => subject === '*')).toHaveLength(1);
    expect(watched.received).toHaveLength(1);
  });

  it('of another tenant are not there', async () => {
    await watched.events(1, watched.world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await watched.look();
    const [{ id }] = await watched.list();
    const stranger = watched.world.apiAt(watched.acme);
    expect((await stranger.get(`/gatewright/alerts/${id}`)).statusCode).toBe(404);
    expect((await stranger.patch(`/gatewright/alerts/${id}`, { mute_hours: 1 })).statusCode).toBe(404);
  });
});
