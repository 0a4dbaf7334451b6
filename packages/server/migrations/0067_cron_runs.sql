-- What became of the runs of scheduled exports, and what they printed: the newest hundred of each job, for a month.
create table cron_runs (
  tenant_id   text collate "C" not null,
  run_id      text collate "C" not null,
  name        text collate "C" not null,
  started_at  timestamptz not null,
  ended_at    timestamptz,
  outcome     text not null,
  exit_code   integer,
  read        integer not null default 0,
  sent        integer not null default 0,
  skipped     integer not null default 0,
  lag_seconds integer,
  error       text,
  -- The newest of line_count, secrets masked.
  lines       jsonb not null default '[]',
  line_count  integer not null default 0,
  expires_at  timestamptz not null,
  primary key (tenant_id, run_id),
  constraint cron_runs_of_jobs foreign key (tenant_id, name) references cron_jobs on delete cascade
);

create index cron_runs_by_job on cron_runs (tenant_id, name, started_at desc);
create index cron_runs_by_expiry on cron_runs (expires_at);
