-- APIs. The Management API is one system row per tenant; its identifier is computed from the tenant's origins.
create table resource_servers (
  tenant_id      text collate "C" not null references tenants on delete cascade,
  id             text collate "C" not null,
  seq            bigint generated always as identity,
  identifier     text collate "C" not null,
  name           text not null,
  is_system      boolean not null default false,
  body           jsonb not null,
  signing_secret bytea,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint resource_servers_identifier_taken unique (tenant_id, identifier)
);

create unique index resource_servers_one_system on resource_servers (tenant_id) where is_system;

create trigger resource_servers_announce after insert or update or delete on resource_servers
  for each row execute function announce_configuration_change();
