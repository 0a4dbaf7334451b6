import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';
import { createLog } from '../kit/log.ts';
import { sectionSql } from './read-new-events.ts';
import { createRollups } from './roll-up.ts';
import { MOST_APART } from './rollup.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const query = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await world.database.pool.query<Row>(text, values)).rows;
const counted = async (grain: string, tenant = 'dev') =>
  Number(
    (
      await query<{ n: string }>(
        `select coalesce(sum(n), 0) as n from log_rollups where tenant_id = $1 and grain = $2 and subject = ''`,
        [tenant, grain],
      )
    )[0]?.n,
  );
const logged = async (tenant = 'dev') =>
  Number((await query<{ n: string }>('select count(*) as n from log_events where tenant_id = $1', [tenant]))[0]?.n);

/** Until all that is written is counted: the horizon is the cluster's, and other tests write there. */
async function caughtUp(): Promise<void> {
  await vi.waitFor(
    async () => {
      await world.app.logWatch.rollups.catchUp();
      expect(await counted('day')).toBe(await logged());
    },
    { timeout: 60_000, interval: 50 },
  );
}

describe('the counts of the log', () => {
  it('are those of the log itself, by minute, hour and day, type, application, connection and address', async () => {
    await world.visitor().logIn();
    await passwordGrant(world, { password: 'wrong' });
    await passwordGrant(world);
    await caughtUp();
    for (const [grain, columns] of [
      ['minute', 'type, client_id, connection, ip'],
      ['hour', 'type, client_id, connection'],
      ['day', 'type, client_id, connection'],
    ] as const) {
      const select = (table: string, at: string, n: string) =>
        `select ${at} as at, ${columns.replace(/(\w+)/g, "coalesce($1, '') as $1")}, ${n} as n from ${table} where tenant_id = 'dev'`;
      const ours = await query(
        `${select('log_rollups', 'at', 'n::int')} and grain = $1 and subject = '' order by at, ${columns}`,
        [grain],
      );
      const truth = await query(
        `${select('log_events', `date_trunc('${grain}', at at time zone 'UTC') at time zone 'UTC'`, 'count(*)::int')}
         group by 1, ${columns.replace(/\w+/g, (name) => `coalesce(${name}, '')`)} order by at, ${columns}`,
      );
      expect(ours).toEqual(truth);
      expect(ours.length).toBeGreaterThan(3);
    }
  });

  it('count an event once, however many processes count at once, and whoever is killed between two lines', async () => {
    await query(
      `insert into log_events (tenant_id, type, body) select 'dev', 'fp', '{}' from generate_series(1, 12000)`,
    );
    const killed = createRollups({
      pool: world.database.pool,
      rollups: world.app.stores.rollups,
      transact: (work) =>
        world.app.transact((stores) =>
          work({ rollups: { ...stores.rollups, seen: async () => Promise.reject(new Error('killed')) } }),
        ),
      log: createLog('json', () => {}),
      now: world.now,
    });
    const others = Array.from({ length: 3 }, () =>
      createRollups({
        pool: world.database.pool,
        rollups: world.app.stores.rollups,
        transact: world.app.transact,
        log: createLog('json', () => {}),
        now: world.now,
      }),
    );
    await vi.waitFor(async () => expect(killed.catchUp()).rejects.toThrow('killed'), { timeout: 60_000 });
    await Promise.all(others.map((one) => one.catchUp()));
    await caughtUp();
    expect(await counted('minute')).toBe(await logged());
  });

  it('are read by the order of delivery, where nothing is sorted', async () => {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    await query('analyze log_events');
    const plan = await query<{ 'QUERY PLAN': string }>(`explain ${sectionSql([`log_events_${day}`])}`, [
      0,
      '900',
      '0',
      0,
      '2000000',
      100,
    ]);
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('Index Scan');
    expect(text).not.toContain('Sort');
  });

  it('leave out no event whose transaction ended late', async () => {
    const late = await world.database.pool.connect();
    await late.query('begin');
    await late.query(`insert into log_events (tenant_id, type, body) values ('dev', 'ss', '{}')`);
    await query(`insert into log_events (tenant_id, type, body) values ('dev', 'ss', '{}')`);
    await world.app.logWatch.rollups.catchUp();
    expect(await counted('day')).toBeLessThan(await logged());
    await late.query('commit');
    late.release();
    await caughtUp();
  });

  it('do not grow without bound, whatever addresses, applications and names a flood invents, and keep the largest', async () => {
    await query(
      `insert into log_events (tenant_id, type, client_id, ip, body, at)
       select 'flood', 'fu', 'client-' || i % 997, '10.' || i % 200 || '.' || i / 200 || '.1',
         jsonb_build_object('user_name', 'user-' || i), date_trunc('hour', now()) from generate_series(1, 9000) i`,
    );
    await query(
      `insert into log_events (tenant_id, type, client_id, ip, body, at)
       select 'flood', 'fp', 'portal', '203.0.113.9', '{"user_name": "Ada"}', date_trunc('hour', now()) from generate_series(1, 50) i`,
    );
    await vi.waitFor(
      async () => {
        await world.app.logWatch.rollups.catchUp();
        expect(await counted('minute', 'flood')).toBe(9_050);
      },
      { timeout: 60_000, interval: 50 },
    );
    for (const grain of ['hour', 'day']) expect(await counted(grain, 'flood')).toBe(9_050);
    const most = (MOST_APART.addresses + MOST_APART.clients + MOST_APART.subjects) * 1.5 + 10;
    const rows = await query<{ grain: string; n: string }>(
      `select grain, count(*) as n from log_rollups where tenant_id = 'flood' group by 1`,
    );
    for (const { n } of rows) expect(Number(n)).toBeLessThan(most);
    const kept = await query<{ n: string }>(
      `select n from log_rollups where tenant_id = 'flood' and grain = 'minute' and (ip = '203.0.113.9' or subject = 'user:ada')`,
    );
    expect(kept.map(({ n }) => Number(n))).toEqual([50, 50]);
  });

  it('do not stop at a name that has half of a character at its cut, of whoever tries to log in', async () => {
    const before = await counted('day');
    await passwordGrant(world, { username: `${'a'.repeat(199)}😀`, password: 'wrong' });
    await caughtUp();
    expect(await counted('day')).toBeGreaterThan(before);
  });

  it('do not grow by names that end as the rest of them does', async () => {
    await query(
      `insert into log_events (tenant_id, type, body, at)
       select 'stars', 'fu', jsonb_build_object('user_name', 'user-' || i || ':*'), date_trunc('hour', now())
       from generate_series(1, 500) i`,
    );
    await vi.waitFor(
      async () => {
        await world.app.logWatch.rollups.catchUp();
        expect(await counted('minute', 'stars')).toBe(500);
      },
      { timeout: 60_000, interval: 50 },
    );
    const [row] = await query<{ n: number }>(
      `select count(*)::int as n from log_rollups where tenant_id = 'stars' and grain = 'minute' and subject <> ''`,
    );
    expect(row?.n).toBe(MOST_APART.subjects + 1);
  });

  it('are begun anew from the oldest event where there are none yet, and leave out what would be over', async () => {
    await query('delete from log_rollup_state');
    await query(`delete from log_rollups where tenant_id = 'dev'`);
    await query(
      `insert into log_events (tenant_id, type, body, at) values ('dev', 's', '{}', now() - interval '5 days')`,
    );
    await caughtUp();
    expect(await counted('minute')).toBe((await logged()) - 1);
  });
});

describe('a server that runs', () => {
  it('counts by itself, and goes on where a look failed', async () => {
    let failures = 0;
    const rollups = createRollups({
      pool: world.database.pool,
      rollups: {
        ...world.app.stores.rollups,
        async position() {
          if (failures++ === 0) throw new Error('no database');
          return world.app.stores.rollups.position();
        },
      },
      transact: world.app.transact,
      log: createLog('json', () => {}),
      now: world.now,
      everyMilliseconds: 20,
    });
    await query(`insert into log_events (tenant_id, type, body) values ('dev', 'ss', '{}')`);
    rollups.start();
    await vi.waitFor(async () => expect(await counted('day')).toBe(await logged()), { timeout: 60_000 });
    await rollups.stop();
    expect(failures).toBeGreaterThan(1);
  });
});

describe('GET /stats/daily', () => {
  it('answers what the log counts: logins, sign-ups and leaked passwords of each day', async () => {
    await query(
      `insert into log_events (tenant_id, type, body, at)
       select 'dev', type, '{}', now() - interval '3 days' from unnest(array['s', 's', 'sepft', 'ss', 'pwd_leak', 'signup_pwd_leak', 'fp']) type`,
    );
    await caughtUp();
    const days = (await world.api('read:stats').get('/stats/daily')).json();
    const truth = await query<{ date: Date; logins: number; signups: number }>(
      `select date_trunc('day', at at time zone 'UTC') at time zone 'UTC' as date,
         count(*) filter (where type in ('s', 'sepft'))::int as logins, count(*) filter (where type = 'ss')::int as signups
       from log_events where tenant_id = 'dev' group by 1 order by 1`,
    );
    expect(days.map(({ date, logins, signups }: Record<string, unknown>) => ({ date, logins, signups }))).toEqual(
      truth.map(({ date, ...counts }) => ({ date: date.toISOString(), ...counts })),
    );
    expect(days.find(({ leaked_passwords }: { leaked_passwords: number }) => leaked_passwords > 0)).toEqual({
      date: expect.stringMatching(/T00:00:00\.000Z$/),
      created_at: expect.any(String),
      updated_at: expect.any(String),
      logins: 3,
      signups: 1,
      leaked_passwords: 1,
      leaked_passwords_signup: 1,
    });
  });

  it('answers the days that are asked for, both bounds included', async () => {
    const day = (ago: number) =>
      new Date(world.now().getTime() - ago * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    const get = async (parameters: string) => (await world.api('read:stats').get(`/stats/daily?${parameters}`)).json();
    expect(await get(`from=${day(3)}&to=${day(3)}`)).toHaveLength(1);
    expect(await get(`from=${day(2)}&to=${day(1)}`)).toEqual([]);
    expect(await get(`to=${day(4)}`)).toHaveLength(1);
  });

  it.each(['2026-01-01', '20261301', 'yesterday', '1'])('refuses %s, which is no day', async (day) => {
    const response = await world.api('read:stats').get(`/stats/daily?from=${encodeURIComponent(day)}`);
    expect([response.statusCode, response.json().errorCode]).toEqual([400, 'invalid_query_string']);
  });
});

describe('GET /stats/active-users', () => {
  it('answers how many people logged in within thirty days, each once', async () => {
    const ask = async () => (await world.api('read:stats').get('/stats/active-users')).json();
    const logins = (people: number, ago: string) =>
      query(
        `insert into log_events (tenant_id, type, user_id, body, at)
         select 'dev', 's', 'auth0|' || i, '{}', now() - interval '${ago}' from generate_series(1, ${people}) i, generate_series(1, 2)`,
      );
    const before = await ask();
    await logins(20, '29 days');
    await logins(30, '40 days');
    await caughtUp();
    expect(await ask()).toBe(before + 20);
    const [row] = await query<{ n: number }>(
      `select count(distinct user_id)::int as n from log_events where tenant_id = 'dev' and type in ('s', 'sepft')
         and at >= now() - interval '30 days'`,
    );
    expect(await ask()).toBe(row?.n);
    world.advance(2 * 86_400_000);
    expect(await ask()).toBe(before);
    world.advance(-2 * 86_400_000);
  });
});
