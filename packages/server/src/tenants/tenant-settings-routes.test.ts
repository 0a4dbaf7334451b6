import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe('/tenants/settings', () => {
  it('merges flags and shows lifetimes in hours', async () => {
    const settings = world.api('read:tenant_settings', 'update:tenant_settings');
    const change = (body: object) => settings.patch('/tenants/settings', body);
    const changed = await change({
      friendly_name: 'Acme',
      idle_session_lifetime_in_minutes: 90,
      flags: { revoke_refresh_token_grant: true },
    });
    expect(changed.statusCode).toBe(200);
    expect(changed.json()).toMatchObject({ friendly_name: 'Acme', idle_session_lifetime: 1.5 });
    await Promise.all(
      ['enable_sso', 'genai_trial', 'enable_legacy_profile'].map((flag) => change({ flags: { [flag]: true } })),
    );
    const read = (await settings.get('/tenants/settings')).json();
    expect(read.flags).toMatchObject({
      revoke_refresh_token_grant: true,
      enable_sso: true,
      genai_trial: true,
      enable_legacy_profile: true,
    });
    expect(read).toMatchObject({ session_lifetime: 168, idle_session_lifetime: 1.5 });
    expect((await settings.get('/tenants/settings?fields=friendly_name')).json()).toEqual({ friendly_name: 'Acme' });
    const other = world.apiAt(await world.createTenant('other'), 'read:tenant_settings');
    expect((await other.get('/tenants/settings')).json().friendly_name).toBe('other');
    expect((await change({ flags: { made_up: true } })).statusCode).toBe(400);
  });
});
