-- Exports of the log that the operator scheduled (`gatewright cron schedule`). Whichever server is free runs a job when its
-- time has come; one run at a time, whoever they are. No Management token reads or changes them.
create table cron_jobs (
  tenant_id     text collate "C" not null references tenants on delete cascade,
  name          text collate "C" not null,
  schedule      text not null,
  time_zone     text not null,
  -- All settings are secrets: one sealed JSON object, which nobody gets back. Null where the installation's key was lost.
  settings      bytea,
  setting_names text[] not null,
  limit_seconds integer not null,
  next_run_at   timestamptz not null,
  -- Of whoever runs it, by the database's clock; none while nobody does. What was claimed later has the higher fence.
  lease_until   timestamptz,
  fence         bigint not null default 0,
  -- How far the log of `origin` has been exported.
  origin        text not null,
  checkpoint    text,
  -- Since when an event waits, and whether somebody was told of it.
  behind_since  timestamptz,
  told_at       timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  primary key (tenant_id, name)
);

create index cron_jobs_by_time on cron_jobs (next_run_at);
create index cron_jobs_behind on cron_jobs (behind_since) where behind_since is not null;
