-- What tenant code wrote to its console, for its author, for a day: bounded for each execution and each tenant, secrets masked.
create table console_output (
  tenant_id    text collate "C" not null references tenants on delete cascade,
  execution_id text collate "C" not null,
  -- When it was written here, by one clock for all processes: a reader that follows goes by it.
  at           timestamptz not null default now(),
  kind         text not null,
  outcome      text not null,
  took_ms      integer not null,
  lines        jsonb not null,
  expires_at   timestamptz not null,
  primary key (tenant_id, execution_id)
);

create index console_output_by_time on console_output (tenant_id, at);
create index console_output_by_expiry on console_output (expires_at);

-- Warnings about tenant code that are told once in a while, whichever process notices.
create table code_warnings (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  name       text collate "C" not null,
  told_at    timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, name)
);

create index code_warnings_by_expiry on code_warnings (expires_at);
