-- A tenant is one closed world: its users, keys, applications and events are found by its id and by nothing else.
create table tenants (
  tenant_id   text collate "C" primary key,
  environment text not null default 'production',
  is_default  boolean not null default false,
  settings    jsonb not null default '{}',
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint tenants_environment_known check (environment in ('development', 'staging', 'production'))
);

create unique index tenants_one_default on tenants (is_default) where is_default;

-- Origins that the operator registered (scheme, host and port). Localhost origins and those under the base domain are computed.
create table tenant_origins (
  tenant_id    text collate "C" not null references tenants on delete cascade,
  origin       text collate "C" not null,
  is_canonical boolean not null default false,
  primary key (tenant_id, origin),
  constraint tenant_origins_taken unique (origin)
);

create unique index tenant_origins_one_canonical on tenant_origins (tenant_id) where is_canonical;

-- Secrets that belong to a tenant and never leave the server, sealed: one row a purpose (refresh-token derivation, …).
create table tenant_secrets (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  purpose    text collate "C" not null,
  sealed     bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, purpose)
);

-- Every process caches a tenant's configuration. A change tells all of them which tenant to forget; the payload is the
-- tenant's id. PostgreSQL folds equal notifications of one transaction into one.
create function announce_configuration_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('configuration_changed', coalesce(new.tenant_id, old.tenant_id));
  return null;
end
$$;

-- Which tenants there are, and which origins are whose, is told to everybody under the name '*'.
create function announce_tenant_directory_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('configuration_changed', '*');
  return null;
end
$$;

create trigger tenants_announce after insert or update or delete on tenants
  for each row execute function announce_configuration_change();
create trigger tenant_origins_announce after insert or update or delete on tenant_origins
  for each row execute function announce_configuration_change();
create trigger tenants_announce_directory after insert or delete on tenants
  for each statement execute function announce_tenant_directory_change();
create trigger tenant_origins_announce_directory after insert or update or delete on tenant_origins
  for each statement execute function announce_tenant_directory_change();
