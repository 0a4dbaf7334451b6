-- Applications. `body` holds the catalogue's fields as they go over the wire; the secret is sealed beside it.
create table clients (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  client_id  text collate "C" not null,
  seq        bigint generated always as identity,
  name       text not null,
  is_global  boolean not null default false,
  is_system  boolean not null default false,
  body       jsonb not null,
  secret     bytea,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, client_id)
);

create unique index clients_one_global on clients (tenant_id) where is_global;
create index clients_in_order on clients (tenant_id, seq);

-- Public keys of clients that authenticate with private_key_jwt.
create table client_credentials (
  tenant_id     text collate "C" not null,
  client_id     text collate "C" not null,
  credential_id text collate "C" not null,
  seq           bigint generated always as identity,
  body          jsonb not null,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  expires_at    timestamptz,
  primary key (tenant_id, client_id, credential_id),
  foreign key (tenant_id, client_id) references clients on delete cascade
);

-- Identifiers of client assertions that were accepted, kept until they expire: an assertion counts once (RFC 7523 section 3).
create table client_assertions (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  client_id  text collate "C" not null,
  jti_hash   text collate "C" not null,
  expires_at timestamptz not null,
  constraint client_assertions_used primary key (tenant_id, client_id, jti_hash)
);

create index client_assertions_by_expiry on client_assertions (expires_at);

create trigger clients_announce after insert or update or delete on clients
  for each row execute function announce_configuration_change();
create trigger client_credentials_announce after insert or update or delete on client_credentials
  for each row execute function announce_configuration_change();
