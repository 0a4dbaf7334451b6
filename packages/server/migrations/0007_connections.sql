-- Where identities come from. `body` holds the catalogue's fields (options included) as they go over the wire.
create table connections (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  id         text collate "C" not null,
  seq        bigint generated always as identity,
  name       text collate "C" not null,
  strategy   text not null,
  is_system  boolean not null default false,
  body       jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint connections_name_taken unique (tenant_id, name)
);

-- One row for each client that may use a connection: adding one is one insert, so that parallel edits lose nothing.
create table connection_clients (
  tenant_id     text collate "C" not null,
  connection_id text collate "C" not null,
  client_id     text collate "C" not null,
  seq           bigint generated always as identity,
  primary key (tenant_id, connection_id, client_id),
  foreign key (tenant_id, connection_id) references connections on delete cascade,
  foreign key (tenant_id, client_id) references clients on delete cascade
);

create index connection_clients_of_client on connection_clients (tenant_id, client_id);

create trigger connections_announce after insert or update or delete on connections
  for each row execute function announce_configuration_change();
create trigger connection_clients_announce after insert or update or delete on connection_clients
  for each row execute function announce_configuration_change();
