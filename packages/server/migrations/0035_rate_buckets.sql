-- What is left of a limit, for all processes of one database: a bucket that fills up by time. A process takes what it
-- admits in blocks, so that not every request is a write. A full bucket is worth no row.
create table rate_buckets (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  name       text collate "C" not null,
  tokens     double precision not null,
  -- What the last taker was given.
  granted    double precision not null,
  filled_at  timestamptz not null,
  -- When the log was told last that it is empty.
  told_at    timestamptz,
  expires_at timestamptz not null,
  primary key (tenant_id, name)
);

create index rate_buckets_by_expiry on rate_buckets (expires_at);
