import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
      webhook: { ...webhook, format: 'json' },
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

  it('writes the address into no log, since that of a chat is its password; who reads it is an event', async () => {
    const webhook = { url: 'https://chat.example/services/T0/password-of-the-chat' };
    await world.api().put('/gatewright/alert-settings', { webhook });
    await world.api().get('/gatewright/alert-settings');
    const [read, changed] = await query(
      `select type, body -> 'details' as details from log_events e where body::text like '%/gatewright/alert-settings%'
       order by e.epoch desc, e.xid desc, e.seq desc limit 2`,
    );
    expect(read).toMatchObject({ type: 'mgmt_api_read', details: { accessedSecrets: ['webhook'] } });
    expect(changed).toMatchObject({ type: 'sapi', details: { request: { body: { webhook: { url: '*****' } } } } });
    expect(await query(`select from log_events where body::text like '%password-of-the-chat%'`)).toEqual([]);
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

async function query(text: string): Promise<Record<string, unknown>[]> {
  return (await world.database.pool.query(text)).rows;
}
