-- Where a tenant's code may connect to, as the operator of the installation decided (`gatewright egress`); the
-- installation's default where there is no row. No Management token reads or changes it.
create table tenant_egress (
  tenant_id text collate "C" not null references tenants on delete cascade,
  -- Null: the installation's default.
  mode      text,
  -- host:port on the public Internet, for the mode allowlist.
  hosts     text[] not null default '{}',
  -- host:port on the operator's own network, reached through the server.
  intranet  text[] not null default '{}',
  primary key (tenant_id),
  constraint tenant_egress_mode_known check (mode in ('deny-private', 'allowlist'))
);

create trigger tenant_egress_announce after insert or update or delete on tenant_egress
  for each row execute function announce_configuration_change();
