-- How far the log is counted: all events up to here, once each. At most one row, for the whole installation; without it
-- nothing is counted yet.
create table log_rollup_state (
  only_row   boolean primary key default true,
  epoch      smallint not null default -1,
  xid        xid8 not null default '0',
  seq        bigint not null default 0,
  day        text collate "C" not null default '19700101',
  -- When the counts were last looked at for what should alarm somebody (log-alerts).
  scanned_at timestamptz,
  constraint log_rollup_state_one_row check (only_row)
);

-- Counts of events by minute (where they came from included), by hour and by day. '' is none; '*' is all those that were too
-- many to be counted apart, so that nobody grows these rows without bound by varying what he sends.
create table log_rollups (
  tenant_id  text collate "C" not null,
  grain      text collate "C" not null,
  -- Its beginning.
  at         timestamptz not null,
  type       text collate "C" not null,
  client_id  text collate "C" not null,
  connection text collate "C" not null,
  -- An IPv4 address, or the first 64 bits of an IPv6 one.
  ip         text collate "C" not null,
  -- '' counts every event; user:… and rule:… count failures once more, by whom they are about and by the rule that caused them.
  subject    text collate "C" not null,
  n          bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, grain, at, type, client_id, connection, ip, subject),
  constraint log_rollups_grain_known check (grain in ('minute', 'hour', 'day'))
);

-- The scans ask all tenants at once for the last minutes.
create index log_rollups_by_time on log_rollups (grain, at);
create index log_rollups_by_expiry on log_rollups (expires_at);

-- Who logged in within the last thirty days: a row a person.
create table active_users (
  tenant_id     text collate "C" not null references tenants on delete cascade,
  user_id       text collate "C" not null,
  last_login_at timestamptz not null,
  expires_at    timestamptz not null,
  primary key (tenant_id, user_id)
);

create index active_users_by_login on active_users (tenant_id, last_login_at);
create index active_users_by_expiry on active_users (expires_at);
