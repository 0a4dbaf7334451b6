import type pg from 'pg';

export const SCALE_TENANT = 'scale';
const DAYS = 7;
const CLIENTS = 200;
const USERS = 200_000;
const ADDRESSES = 100_000;

export interface Filled {
  readonly seconds: number;
  readonly gigabytes: number;
}

/**
 * Events as a busy tenant has them: a few types, applications and connections make most of it, some are rare, and users and
 * addresses are many. A day is filled before it is attached, which builds its indexes at once.
 */
export async function fillLog(pool: pg.Pool, rows: number, tell: (what: string) => void): Promise<Filled> {
  const began = performance.now();
  const { rows: days } = await pool.query<{ day: string; name: string; next: string }>(
    `select d::date::text as day, to_char(d, 'YYYYMMDD') as name, (d::date + 1)::text as next
     from generate_series((now() at time zone 'UTC')::date - $1::integer - 1, (now() at time zone 'UTC')::date - 2, interval '1 day') d`,
    [DAYS],
  );
  for (const { day, name, next } of days) {
    tell(`filling ${day}`);
    const table = `log_events_${name}`;
    await pool.query(`create table ${table} (like log_events including defaults)`);
    await pool.query(fillSql(table), [SCALE_TENANT, day, Math.ceil(rows / days.length)]);
    await pool.query(`alter table ${table} add constraint ${table}_day check (day >= '${day}' and day < '${next}')`);
    await pool.query(`alter table log_events attach partition ${table} for values from ('${day}') to ('${next}')`);
    await pool.query(`vacuum analyze ${table}`);
  }
  await pool.query('analyze log_events');
  const { rows: sizes } = await pool.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return { seconds: (performance.now() - began) / 1000, gigabytes: Number(sizes[0]?.bytes) / 1e9 };
}

/** Small numbers come up far more often than great ones: `floor(power(random(), 3) * n)`. */
function fillSql(table: string): string {
  return `insert into ${table} (tenant_id, day, at, type, user_id, client_id, connection, ip, body)
    select $1, $2::date, $2::date + n * (interval '1 day' / $3::bigint),
      case when r < 0.0001 then 'limit_wc' when r < 0.002 then 'fu' when r < 0.02 then 'fp' when r < 0.3 then 's'
        when r < 0.5 then 'seacft' when r < 0.52 then 'sapi' else 'sertft' end,
      'auth0|' || md5(u::text), 'client-' || c, case when c = ${CLIENTS - 1} then 'Rare' else 'Users-' || (c % 5) end,
      '10.' || (a / 65536) || '.' || (a / 256 % 256) || '.' || (a % 256),
      jsonb_build_object('description', '', 'client_name', 'Application ' || c, 'hostname', 'login.example.com',
        'user_name', 'user-' || u || '@example.com', 'user_agent', 'Chrome 126.0.0 / Windows 10.0.0', 'isMobile', false,
        'strategy', 'auth0', 'strategy_type', 'database', 'client_ip', '10.1.1.1', 'scope', 'openid profile email',
        'details', jsonb_build_object('session_id', md5(n::text), 'stats', jsonb_build_object('loginsCount', u % 90)))
    from (select n, random() as r, floor(power(random(), 3) * ${USERS})::integer as u, floor(power(random(), 3) * ${CLIENTS})::integer as c,
        floor(power(random(), 2) * ${ADDRESSES})::integer as a from generate_series(0, $3::bigint - 1) n) as made`;
}
