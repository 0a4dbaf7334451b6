-- Functions of a tenant at the points of the platform where one can say something. What is edited is the draft, and lies in the
-- action; what runs is the version that was deployed last. Secrets are sealed lists of name, value and time.
create table actions (
  tenant_id           text collate "C" not null references tenants on delete cascade,
  id                  text collate "C" not null,
  seq                 bigint generated always as identity,
  name                text not null,
  source              jsonb not null,
  secrets             bytea,
  is_changed          boolean not null,
  deployed_version_id text collate "C",
  created_at          timestamptz not null,
  updated_at          timestamptz not null,
  primary key (tenant_id, id),
  constraint actions_name_taken unique (tenant_id, name)
);

create table action_versions (
  tenant_id  text collate "C" not null,
  id         text collate "C" not null,
  action_id  text collate "C" not null,
  number     integer not null,
  source     jsonb not null,
  secrets    bytea,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, action_id, number),
  foreign key (tenant_id, action_id) references actions on delete cascade
);

-- Which actions run at a trigger, and in which order.
create table action_bindings (
  tenant_id    text collate "C" not null,
  id           text collate "C" not null,
  trigger_id   text collate "C" not null,
  action_id    text collate "C" not null,
  position     integer not null,
  display_name text not null,
  secrets      bytea,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, trigger_id, action_id),
  foreign key (tenant_id, action_id) references actions on delete cascade
);
create index action_bindings_of_action on action_bindings (tenant_id, action_id);

create trigger actions_announce after insert or update or delete on actions
  for each row execute function announce_configuration_change();
create trigger action_versions_announce after insert or update or delete on action_versions
  for each row execute function announce_configuration_change();
create trigger action_bindings_announce after insert or update or delete on action_bindings
  for each row execute function announce_configuration_change();
