import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AlertWorld, HOUR, MINUTE, type Received, startAlertWorld } from '../../test/alert-world.ts';

let watched: AlertWorld;
beforeAll(async () => {
  watched = await startAlertWorld();
});
afterAll(() => watched.stop());
beforeEach(() => watched.begin());

describe('alerts', () => {
  it('are one message for all that one look finds, signed, by webhook and by mail', async () => {
    const secret = await watched.receiveAt('json', ['ops@example.org']);
    const now = watched.world.now().getTime();
    await watched.events(1, now - MINUTE, 1, `'api_limit'`, { client: `'one'` });
    await watched.events(1, now - MINUTE, 1, `'api_limit'`, { client: `'two'` });
    await watched.look();
    expect(watched.received).toHaveLength(1);
    const [{ headers, body }] = watched.received as [Received];
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(JSON.parse(body)).toMatchObject({ type: 'gatewright.alerts', tenant: 'dev', resolved: [] });
    expect(
      JSON.parse(body)
        .opened.map(({ subject }: { subject: string }) => subject)
        .sort(),
    ).toEqual(['one', 'two']);
    const [mail] = await watched.world.app.stores.mails.list('dev', 1);
    expect(mail).toMatchObject({ to: 'ops@example.org', subject: '2 alerts: dev', template: 'log_alert' });
    const found = await watched.world.app.stores.mails.find('dev', mail?.mailId ?? '');
    expect(found?.text).toContain('The application one reached a rate limit');
  });

  it('tell a chat in its own form, and what they quote is no markup there or in a mail', async () => {
    await watched.receiveAt('slack', ['ops@example.org']);
    await watched.events(40, watched.world.now().getTime() - MINUTE, MINUTE, `'fu'`, {
      ip: `'10.0.' || i || '.1'`,
      user: `'<!channel><b>'`,
    });
    await watched.look();
    expect(JSON.parse(watched.received[0]?.body ?? '')).toEqual({
      text: expect.stringContaining('Opened: 40 logins of the user &lt;!channel&gt;&lt;b&gt; failed'),
    });
    const [mail] = await watched.world.app.stores.mails.list('dev', 1);
    const found = await watched.world.app.stores.mails.find('dev', mail?.mailId ?? '');
    expect(found?.html).toContain('&lt;!channel&gt;&lt;b&gt;');
    expect(found?.html).not.toContain('<b>');
  });

  it('that are muted are listed and sent to nobody, until then', async () => {
    await watched.receiveAt('json');
    const limited = () =>
      watched.events(1, watched.world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await limited();
    await watched.look();
    const [{ id }] = await watched.list();
    const muted = await watched.world
      .api('update:tenant_settings')
      .patch(`/gatewright/alerts/${id}`, { mute_hours: 3 });
    expect([muted.statusCode, muted.json().muted_until]).toEqual([200, expect.any(String)]);
    await watched.steps(9);
    await limited();
    await watched.steps(1);
    expect(await watched.list()).toMatchObject([{ status: 'open' }, { status: 'resolved' }]);
    expect(watched.received).toHaveLength(1);
    watched.world.advance(4 * HOUR);
    await watched.steps(2);
    await limited();
    await watched.steps(1);
    expect(JSON.parse(watched.received.at(-1)?.body ?? '').opened).toHaveLength(1);
  });

  it('are sent again where the webhook fails, with the same id, and in the end the log says that they were not', async () => {
    await watched.receiveAt('json');
    watched.answerWith(500);
    await watched.events(1, watched.world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await watched.look();
    for (let attempt = 0; attempt < 6; attempt++) {
      watched.world.advance(80 * MINUTE);
      await watched.world.app.logWatch.alerts.sendDue();
    }
    expect(watched.received).toHaveLength(6);
    expect(new Set(watched.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const failed = (await watched.world.api().get('/logs?q=type:fn')).json();
    expect(failed).toMatchObject([{ description: expect.stringContaining('It answered with the status 500.') }]);
  });

  it('are not sent again where the webhook has taken them, whatever it says besides', async () => {
    await watched.receiveAt('json');
    watched.answerWith(200, 'a'.repeat(100_000));
    await watched.events(1, watched.world.now().getTime() - MINUTE, 1, `'api_limit'`, { client: `'sync'` });
    await watched.look();
    expect(watched.received).toHaveLength(1);
    expect(await watched.query('select from log_alert_notices')).toEqual([]);
  });

  it('have a line each, whatever name somebody tried to log in with', async () => {
    await watched.receiveAt('slack');
    await watched.events(25, watched.world.now().getTime() - MINUTE, 1, `'fp'`, {
      user: `E'ada\\nResolved: all is well'`,
    });
    await watched.look();
    const { text } = JSON.parse(watched.received[0]?.body ?? '');
    expect(text.split('\n')).toEqual([
      expect.stringContaining('tenant dev'),
      expect.stringContaining('the user ada resolved: all is well failed'),
    ]);
  });

  it('reach no address that the server must not call', async () => {
    await watched.world
      .apiAt(watched.acme)
      .put('/gatewright/alert-settings', { webhook: { url: 'https://169.254.169.254/latest' } });
    await watched.events(1, watched.world.now().getTime() - MINUTE, 1, `'api_limit'`, { tenant: 'acme' });
    await watched.look();
    const notices = await watched.query(`select attempts from log_alert_notices where tenant_id = 'acme'`);
    expect(notices).toEqual([{ attempts: 1 }]);
  });
});
