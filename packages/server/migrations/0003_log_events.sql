-- The audit log, which is the outbox too: an event is committed with the change that it reports, and whoever delivers events
-- reads this table. The order of delivery is (epoch, xid, seq). A reader takes only rows whose xid lies below
-- pg_snapshot_xmin(pg_current_snapshot()): those are final, and every later commit lies above, so that a cursor never skips one.
-- `day` names the partition and nothing else; `at` is the wall clock, for people and for searches.
create sequence log_events_seq as bigint;

-- xids begin anew when the data is restored into another cluster; then an epoch begins. One row, for the whole installation.
create table log_epoch (
  only_row   boolean primary key default true,
  epoch      smallint not null default 0,
  -- What this epoch's xids belong to; null where the server may not ask for it.
  cluster_id text,
  began_at   timestamptz not null default now(),
  constraint log_epoch_one_row check (only_row),
  constraint log_epoch_fits_log_id check (epoch between 0 and 999)
);

insert into log_epoch default values;

-- No foreign key to tenants: it would lock the tenant's row at each event, and an event outlives what it tells of.
-- epoch's default is a constant that changes with log_epoch, since a default that reads a table costs a query a row.
create table log_events (
  tenant_id  text collate "C" not null,
  epoch      smallint not null default 0,
  xid        xid8 not null default pg_current_xact_id(),
  seq        bigint not null default nextval('log_events_seq'),
  day        date not null default (clock_timestamp() at time zone 'UTC')::date,
  at         timestamptz not null default clock_timestamp(),
  type       text collate "C" not null,
  user_id    text collate "C",
  client_id  text collate "C",
  connection text collate "C",
  ip         text collate "C",
  body       jsonb not null,
  primary key (tenant_id, epoch, xid, seq, day)
) partition by range (day);

-- Delivery reads all tenants in one order: here, and only here, a key does not begin with the tenant.
create index log_events_in_order on log_events (epoch, xid, seq);
create index log_events_by_date on log_events (tenant_id, at desc);
create index log_events_by_user on log_events (tenant_id, user_id, at desc) where user_id is not null;
create index log_events_by_type on log_events (tenant_id, type, at desc);

-- Days are made ahead by logs/partitions/partition-keeper.ts; what finds no partition falls in here and stays readable.
create table log_events_default partition of log_events default;
