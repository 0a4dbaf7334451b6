-- What a user allowed an application: at an API, or (audience '') about themselves. Auth0 calls them grants.
create table consents (
  tenant_id          text collate "C" not null,
  id                 text collate "C" not null,
  seq                bigint generated always as identity,
  user_id            text collate "C" not null,
  client_id          text collate "C" not null,
  -- As resource_servers.identifier has it.
  audience           text collate "C" not null,
  resource_server_id text collate "C",
  scopes             jsonb not null,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint consents_given_once unique (tenant_id, user_id, client_id, audience),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade,
  foreign key (tenant_id, client_id) references clients on delete cascade,
  foreign key (tenant_id, resource_server_id) references resource_servers on delete cascade
);

create index consents_in_order on consents (tenant_id, seq);
create index consents_of_client on consents (tenant_id, client_id);
create index consents_of_resource_server on consents (tenant_id, resource_server_id);
