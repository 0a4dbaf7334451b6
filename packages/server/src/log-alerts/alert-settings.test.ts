import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe('PUT /gatewright/alert-settings', () => {
  it('shows the secret of a new webhook once, and a new one where it is asked for', async () => {
    const put = async (body: object) => (await world.api().put('/gatewright/alert-settings', body)).json();
    const webhook = { url: 'https://alerts.example/hook' };
    const first = await put({ webhook });
    expect(first.signing_secret).toMatch(/^whsec_/);
    expect(await put({ webhook, mail_to: ['ops@example.org'] })).toEqual({
      webhook: { url: 'https://alerts.example/*****', format: 'json' },
      mail_to: ['ops@example.org'],
    });
    const rotated = await put({ webhook, rotate_secret: true });
    expect(rotated.signing_secret).not.toBe(first.signing_secret);
    const { rows } = await world.database.pool.query('select to_jsonb(s)::text as row from log_alert_settings s');
    expect(rows[0]?.row).not.toContain(rotated.signing_secret.slice(6, 20));
    const written = JSON.stringify((await world.api().get('/logs?q=type:sapi&per_page=5')).json());
    expect(written).toContain('Update alert settings');
    expect(written).not.toContain(rotated.signing_secret.slice(6, 20));
    expect(await put({})).toEqual({ webhook: null, mail_to: [] });
  });

  it('seals the address and shows it to nobody, since that of a chat is its password', async () => {
    const webhook = { url: 'https://chat.example/services/T0/password-of-the-chat?key=another-password' };
    const changed = await world.api().put('/gatewright/alert-settings', { webhook });
    const read = await world.api().get('/gatewright/alert-settings');
    for (const response of [changed, read])
      expect(response.json().webhook).toEqual({ url: 'https://chat.example/*****', format: 'json' });
    expect(await query('select webhook_url from log_alert_settings')).toEqual([{ webhook_url: null }]);
    const [everything] = await query(
      `select (select string_agg(s::text, '') from log_alert_settings s) || (select string_agg(e.body::text, '') from log_events e) as text`,
    );
    expect(everything?.text).not.toMatch(/password-of-the-chat|another-password/);
    expect(await world.app.stores.alertSettings.find('dev')).toMatchObject({ webhook });
  });

  it('keeps address and secret where it is given back as it was shown, and takes no other masked address', async () => {
    const url = 'https://chat.example/services/T1/password-of-the-chat';
    const put = (webhook: object) => world.api().put('/gatewright/alert-settings', { webhook });
    await put({ url });
    const secret = await world.app.stores.alertSettings.signingSecret('dev');
    const again = await put({ url: 'https://chat.example/*****', format: 'slack' });
    expect(again.json()).toEqual({ webhook: { url: 'https://chat.example/*****', format: 'slack' }, mail_to: [] });
    expect(await world.app.stores.alertSettings.find('dev')).toMatchObject({ webhook: { url, format: 'slack' } });
    expect(await world.app.stores.alertSettings.signingSecret('dev')).toBe(secret);
    expect((await put({ url: 'https://other.example/*****' })).statusCode).toBe(400);
  });

  it('reads an address that was written before addresses were sealed, and seals it with the next change', async () => {
    const url = 'https://old.example/hook';
    const put = (body: object) => world.api().put('/gatewright/alert-settings', body);
    const { signing_secret } = (await put({ webhook: { url } })).json();
    await query(`update log_alert_settings set webhook_url = '${url}', webhook_address = null`);
    expect((await put({ webhook: { url }, mail_to: ['ops@example.org'] })).json()).not.toHaveProperty('signing_secret');
    expect(await query('select webhook_url, webhook_address is not null as sealed from log_alert_settings')).toEqual([
      { webhook_url: null, sealed: true },
    ]);
    expect(await world.app.stores.alertSettings.signingSecret('dev')).toBe(signing_secret);
  });

  it('has no webhook where a server of the version before took it away', async () => {
    await world.api().put('/gatewright/alert-settings', { webhook: { url: 'https://gone.example/hook' } });
    await query('update log_alert_settings set webhook_url = null, signing_secret = null');
    expect((await world.api().get('/gatewright/alert-settings')).json()).toEqual({ webhook: null, mail_to: [] });
  });

  it('tells one secret, the one that holds, however many ask at once', async () => {
    await query('delete from log_alert_settings');
    const webhook = { url: 'https://at-once.example/hook' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => world.api().put('/gatewright/alert-settings', { webhook })),
    );
    const told = answers.flatMap((response) => response.json().signing_secret ?? []);
    expect(told).toEqual([await world.app.stores.alertSettings.signingSecret('dev')]);
  });

  it('says that a damaged webhook is to be entered again; mails go on, and the log says what was not sent', async () => {
    const put = (body: object) => world.api().put('/gatewright/alert-settings', body);
    const mail_to = ['ops@example.org'];
    await put({ webhook: { url: 'https://damaged.example/hook' }, mail_to });
    await query(`update log_alert_settings set webhook_address = '\\x0102'`);
    const settings = (await world.api().get('/gatewright/alert-settings')).json();
    expect(settings).toEqual({ webhook: null, webhook_error: expect.stringContaining('enter it again'), mail_to });
    await query(
      `insert into log_events (tenant_id, type, client_id, body, at) values ('dev', 'api_limit', 'sync', '{}', $1)`,
      [new Date(world.now().getTime() - 60_000)],
    );
    // The horizon is the cluster's, and other tests write there.
    await vi.waitFor(
      async () => {
        await world.app.logWatch.rollups.catchUp();
        const behind = await query(`select from log_events e left join log_rollup_state s on true
          where ((e.epoch, e.xid, e.seq) <= (s.epoch, s.xid, s.seq)) is not true`);
        expect(behind).toEqual([]);
      },
      { timeout: 60_000, interval: 20 },
    );
    await world.app.logWatch.alerts.look();
    await world.app.logWatch.alerts.sendDue();
    expect(await query('select from log_alert_notices')).toEqual([]);
    expect((await world.api().get('/logs?q=type:fn')).json()).toMatchObject([
      { description: expect.stringContaining('could not be decrypted') },
    ]);
    expect(await world.app.stores.mails.list('dev', 1)).toMatchObject([{ to: 'ops@example.org' }]);
    const mended = (await put({ webhook: { url: 'https://damaged.example/hook' } })).json();
    expect(mended).toEqual({
      webhook: { url: 'https://damaged.example/*****', format: 'json' },
      mail_to: [],
      signing_secret: expect.stringMatching(/^whsec_/),
    });
  });

  it.each([
    { webhook: { url: 'ftp://alerts.example' } },
    { webhook: { url: 'https://user:secret@alerts.example' } },
    { mail_to: ['a@example.org, b@example.org'] },
    { mail_to: ['x@example.org\r\nBcc: y@example.org'] },
    { mail_to: Array.from({ length: 11 }, (_, index) => `a${index}@example.org`) },
  ])('refuses %j', async (body) => {
    expect((await world.api().put('/gatewright/alert-settings', body)).statusCode).toBe(400);
  });
});

async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await world.database.pool.query(text, values)).rows;
}
