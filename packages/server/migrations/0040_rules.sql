-- JavaScript of a tenant that runs at each login, in the order of its position; a rule's name and its position are its own.
create table rules (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  id         text collate "C" not null,
  name       text not null,
  script     text not null,
  position   double precision not null,
  is_enabled boolean not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint rules_name_taken unique (tenant_id, name),
  constraint rules_order_taken unique (tenant_id, position)
);

-- What rules read as `configuration`: values that come back to nobody.
create table rules_configs (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  key        text collate "C" not null,
  value      bytea not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, key)
);

create trigger rules_announce after insert or update or delete on rules
  for each row execute function announce_configuration_change();
create trigger rules_configs_announce after insert or update or delete on rules_configs
  for each row execute function announce_configuration_change();
