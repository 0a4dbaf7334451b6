import { describe, expect, it } from 'vitest';
import { settingsOf, settingsToWire } from './tenant-settings.ts';
import { changeSettings } from './tenant-settings-change.ts';

const change = (current: object, patch: object, isProduction = false) =>
  changeSettings({ ...current }, { ...patch }, { isProduction });
const named = (settings: object) => ({ tenantId: 'dev', settings: { ...settings } });

describe('the settings of a tenant', () => {
  it('have defaults where nothing was set', () => {
    expect(settingsToWire(named({}))).toMatchObject({
      friendly_name: 'dev',
      session_lifetime: 168,
      idle_session_lifetime: 72,
      enabled_locales: ['en'],
      session_cookie: { mode: 'persistent' },
      flags: { enable_public_signup_user_exists_error: false },
    });
    expect(settingsOf(named({}))).toMatchObject({
      sessionLifetime: 168 * 3_600,
      idleSessionLifetime: 72 * 3_600,
      defaultDirectory: undefined,
      isSessionCookiePersistent: true,
    });
  });

  it('keep other flags when some are changed', () => {
    const once = change({}, { flags: { enable_sso: false, genai_trial: true } });
    const twice = change(once, { flags: { genai_trial: false } });
    expect(settingsOf(named(twice)).flags).toMatchObject({
      enable_sso: false,
      genai_trial: false,
      enable_pipeline2: true,
    });
  });

  it.each([
    [{ session_lifetime: 10 }, 10, 36_000],
    [{ session_lifetime_in_minutes: 90 }, 1.5, 5_400],
    [{ session_lifetime: 2, session_lifetime_in_minutes: 120 }, 2, 7_200],
  ])('%j lasts %d hours', (patch, hours, seconds) => {
    const settings = change({ session_lifetime_in_minutes: 1 }, patch);
    expect(settingsToWire(named(settings)).session_lifetime).toBe(hours);
    expect(settingsToWire(named(settings))).not.toHaveProperty('session_lifetime_in_minutes');
    expect(settingsOf(named(settings)).sessionLifetime).toBe(seconds);
  });

  it('keep a lifetime that a change does not name', () => {
    const settings = change(change({}, { idle_session_lifetime: 5 }), { friendly_name: 'Dev' });
    expect(settingsToWire(named(settings))).toMatchObject({ idle_session_lifetime: 5, friendly_name: 'Dev' });
  });

  it('return to the default with null', () => {
    const settings = change({ session_cookie: { mode: 'non-persistent' } }, { session_cookie: null });
    expect(settingsOf(named(settings)).isSessionCookiePersistent).toBe(true);
  });

  it.each([
    [{ session_lifetime: 9_000 }],
    [{ idle_session_lifetime_in_minutes: 2_400 * 60 + 1 }],
    [{ session_lifetime: 2, session_lifetime_in_minutes: 121 }],
    [{ allowed_logout_urls: ['javascript:alert(1)'] }],
    [{ allowed_logout_urls: Array.from({ length: 101 }, (_, n) => `https://a.example.com/${n}`) }],
    [{ friendly_name: 'x'.repeat(3_000) }],
  ])('refuse %j', (patch) => {
    expect(() => change({}, patch)).toThrow(expect.objectContaining({ status: 400, code: 'invalid_body' }));
  });

  it('refuse http://localhost:* in a production tenant only', () => {
    const patch = { allowed_logout_urls: ['http://localhost:*'] };
    expect(change({}, patch)).toMatchObject(patch);
    expect(() => change({}, patch, true)).toThrow(/production/);
  });
});
