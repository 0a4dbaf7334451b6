import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CronWorld, SECRET, startCronWorld } from '../../test/log-export/cron-world.ts';

let cron: CronWorld;
let world: CronWorld['world'];
beforeAll(async () => {
  cron = await startCronWorld();
  ({ world } = cron);
});
afterEach(() => cron.reset());
afterAll(() => cron.stop());

describe('gatewright cron schedule', () => {
  it.each([
    ['*/5 * * * *', 'UTC', '2026-03-01T10:05:00.000Z'],
    ['30 */5 * * * *', 'UTC', '2026-03-01T10:05:30.000Z'],
    ['0 9 * * 1-5', 'Europe/Berlin', '2026-03-02T08:00:00.000Z'],
    ['0 0 1 * *', 'UTC', '2026-04-01T00:00:00.000Z'],
  ])('says when %s (%s) runs next', async (given, timeZone, next) => {
    world.advance(Date.parse('2026-03-01T10:03:10Z') - world.now().getTime());
    expect(await cron.schedule('nightly', { schedule: given, time_zone: timeZone })).toMatchObject({
      name: 'nightly',
      schedule: given,
      time_zone: timeZone,
      next_run_at: next,
      state: 'waiting',
    });
  });

  it.each([
    [{ schedule: '* * * *' }, 'invalid_schedule'],
    [{ schedule: '* * * * * * *' }, 'invalid_schedule'],
    [{ schedule: '2026-01-01T00:00:00' }, 'invalid_schedule'],
    [{ schedule: '61 * * * *' }, 'invalid_schedule'],
    [{ schedule: '0 0 30 2 *' }, 'never_runs'],
    [{ time_zone: 'Europe/Nowhere' }, 'invalid_time_zone'],
    [{ name: 'a b' }, 'invalid_name'],
    [{ name: '' }, 'invalid_name'],
    [{ limit_minutes: 0 }, 'invalid_limit'],
    [{ tenant: 'nobody' }, 'inexistent_tenant'],
    [{ settings: { LOG_TYPS: 's' } }, 'unknown_setting'],
    [{ settings: { LOG_TYPES: 's' } }, 'invalid_settings'],
  ])('refuses %j', async (change, code) => {
    await expect(cron.schedule('nightly', change)).rejects.toMatchObject({ code });
    expect(await cron.jobs()).toEqual([]);
  });

  it('keeps settings sealed, and shows their names alone', async () => {
    await cron.schedule('nightly');
    const shown = JSON.stringify([await cron.jobs(), await cron.ask('cron-runs', { name: 'nightly' })]);
    expect(shown).toContain('AUTH0_GLOBAL_CLIENT_SECRET');
    const { rows } = await world.database.pool.query("select encode(settings, 'escape') as sealed from cron_jobs");
    for (const text of [shown, String(rows[0]?.sealed)]) {
      expect(text).not.toContain(`"${SECRET}"`);
      expect(text).not.toContain(cron.webhook.url);
    }
  });

  it('lets a tenant have fifty jobs', async () => {
    await cron.schedule('job-1');
    const others = `insert into cron_jobs (tenant_id, name, schedule, time_zone, setting_names, limit_seconds, next_run_at, origin)
      select tenant_id, 'job-' || number, schedule, time_zone, setting_names, limit_seconds, next_run_at, origin
      from cron_jobs, generate_series(2, 50) number`;
    await world.database.pool.query(others);
    await expect(cron.schedule('one-more')).rejects.toMatchObject({ code: 'too_many_jobs' });
    await cron.schedule('job-7', { schedule: '1 1 1 1 *' });
    expect(await cron.jobs()).toHaveLength(50);
    await world.database.pool.query("delete from cron_jobs where name <> 'job-1'");
  });

  it('belongs to its tenant: another one neither sees nor removes it', async () => {
    const acme = await world.createTenant('acme');
    await cron.schedule('nightly');
    expect(await cron.ask('cron-list', { tenant: acme.tenant })).toEqual({ tenant: 'acme', jobs: [] });
    await expect(cron.ask('cron-remove', { tenant: 'acme', name: 'nightly' })).rejects.toMatchObject({
      code: 'inexistent_job',
    });
    await expect(cron.ask('cron-runs', { tenant: 'acme', name: 'nightly' })).rejects.toMatchObject({
      code: 'inexistent_job',
    });
  });
});
