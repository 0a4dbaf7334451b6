-- Which client may ask for which scopes of which API. `resource_server_id` keeps a grant on the system API valid when the
-- tenant's origin, and with it that API's identifier, changes.
create table client_grants (
  tenant_id          text collate "C" not null,
  id                 text collate "C" not null,
  seq                bigint generated always as identity,
  client_id          text collate "C" not null,
  resource_server_id text collate "C" not null,
  subject_type       text not null default 'client',
  body               jsonb not null,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint client_grants_taken unique (tenant_id, client_id, resource_server_id, subject_type),
  constraint client_grants_client foreign key (tenant_id, client_id) references clients on delete cascade,
  constraint client_grants_resource_server foreign key (tenant_id, resource_server_id) references resource_servers on delete cascade,
  constraint client_grants_subject_type_known check (subject_type in ('client', 'user'))
);

create trigger client_grants_announce after insert or update or delete on client_grants
  for each row execute function announce_configuration_change();
