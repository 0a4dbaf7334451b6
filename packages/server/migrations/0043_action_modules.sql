-- Code that several actions of a tenant share. An action names a version of it, which never changes.
create table action_modules (
  tenant_id    text collate "C" not null references tenants on delete cascade,
  id           text collate "C" not null,
  seq          bigint generated always as identity,
  name         text not null,
  source       jsonb not null,
  secrets      bytea,
  is_changed   boolean not null,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  primary key (tenant_id, id),
  constraint action_modules_name_taken unique (tenant_id, name)
);

create table action_module_versions (
  tenant_id  text collate "C" not null,
  id         text collate "C" not null,
  module_id  text collate "C" not null,
  number     integer not null,
  source     jsonb not null,
  secrets    bytea,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, module_id, number),
  foreign key (tenant_id, module_id) references action_modules on delete cascade
);

create trigger action_modules_announce after insert or update or delete on action_modules
  for each row execute function announce_configuration_change();
create trigger action_module_versions_announce after insert or update or delete on action_module_versions
  for each row execute function announce_configuration_change();
