-- Where a tenant's events are sent to. What it is sent with (the whole sink, and the keys that sign) is sealed.
create table log_streams (
  tenant_id       text collate "C" not null references tenants on delete cascade,
  id              text collate "C" not null,
  seq             bigint generated always as identity,
  name            text not null,
  type            text collate "C" not null,
  status          text collate "C" not null,
  is_priority     boolean not null default false,
  filters         jsonb not null default '[]',
  pii_config      jsonb,
  -- What happened before is not sent.
  start_from      timestamptz,
  -- Null where the key that sealed it is lost: the stream waits until its sink is entered again.
  sink            bytea,
  signing_secrets bytea,
  -- Raised by each change: who delivers reads the stream again.
  version         bigint not null default 1,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint log_streams_status_known check (status in ('active', 'paused', 'suspended'))
);

create index log_streams_active on log_streams (tenant_id, id) where status = 'active';

create trigger log_streams_announce after insert or update or delete on log_streams
  for each row execute function announce_configuration_change();

-- How far a stream is, who delivers it, and how that goes: many small updates, which nobody's cache has to hear of.
create table log_stream_deliveries (
  tenant_id     text collate "C" not null,
  stream_id     text collate "C" not null,
  -- Everything up to here was acknowledged, or is not for this stream. A position of the log (epoch, xid, seq) and its day.
  epoch         smallint not null,
  xid           xid8 not null,
  seq           bigint not null,
  day           text collate "C" not null,
  -- Times of a lease are the database's; `fence` grows with each owner, so that a former one changes nothing any more.
  owner         text collate "C",
  lease_until   timestamptz not null default now(),
  fence         bigint not null default 0,
  failures      integer not null default 0,
  is_degraded   boolean not null default false,
  failing_since timestamptz,
  retry_at      timestamptz,
  -- The event that fails while it is tried: its id, since when, how often.
  suspect       jsonb,
  delivered     bigint not null default 0,
  delivered_at  timestamptz,
  -- Events in a second, lately.
  rate          double precision not null default 0,
  -- The last ones, newest first.
  attempts      jsonb not null default '[]',
  primary key (tenant_id, stream_id),
  foreign key (tenant_id, stream_id) references log_streams (tenant_id, id) on delete cascade
);

-- Events that a sink refused by themselves, while it took others. They wait for a replay.
create table log_stream_dead_letters (
  tenant_id       text collate "C" not null,
  stream_id       text collate "C" not null,
  log_id          text collate "C" not null,
  tries           integer not null,
  first_failed_at timestamptz not null,
  failed_at       timestamptz not null,
  status          integer,
  problem         text not null,
  body            text,
  primary key (tenant_id, stream_id, log_id),
  foreign key (tenant_id, stream_id) references log_streams (tenant_id, id) on delete cascade
);

-- A part of the log that is sent to a stream once more, beside what is new; one at a time.
create table log_stream_replays (
  tenant_id   text collate "C" not null,
  stream_id   text collate "C" not null,
  id          text collate "C" not null,
  -- Of the events' times.
  from_at     timestamptz,
  to_at       timestamptz not null,
  only_failed boolean not null,
  -- How far it is, and where it ends.
  position    jsonb not null,
  last        jsonb not null,
  sent        bigint not null default 0,
  created_at  timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, stream_id),
  foreign key (tenant_id, stream_id) references log_streams (tenant_id, id) on delete cascade
);
