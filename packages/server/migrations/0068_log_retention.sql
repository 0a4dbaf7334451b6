-- How long a tenant's log is kept, where its operator said so (`gatewright logs retention`); the default where there is no row.
create table log_retention (
  tenant_id text collate "C" not null references tenants on delete cascade,
  days      integer not null,
  primary key (tenant_id),
  constraint log_retention_bounded check (days between 1 and 3650)
);

create trigger log_retention_announce after insert or update or delete on log_retention
  for each row execute function announce_configuration_change();

-- Days of which events went although somebody had not read them yet: told once, by an event of the tenant.
-- No foreign key: events outlive their tenant, and so does what is known of their end.
create table log_gaps (
  tenant_id    text collate "C" not null,
  day          date not null,
  events       bigint not null,
  first_log_id text not null,
  last_log_id  text not null,
  told_at      timestamptz not null,
  expires_at   timestamptz not null,
  primary key (tenant_id, day)
);

create index log_gaps_by_expiry on log_gaps (expires_at);
