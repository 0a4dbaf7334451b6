-- A tenant's signing keys. One is current; a next one is published before it signs; a previous one verifies until it is revoked.
create table signing_keys (
  tenant_id     text collate "C" not null references tenants on delete cascade,
  kid           text collate "C" not null,
  state         text not null,
  public_jwk    jsonb not null,
  certificate   text not null,
  private_key   bytea not null,
  created_at    timestamptz not null default now(),
  current_since timestamptz,
  current_until timestamptz,
  revoked_at    timestamptz,
  primary key (tenant_id, kid),
  constraint signing_keys_state_known check (state in ('next', 'current', 'previous'))
);

create unique index signing_keys_one_current on signing_keys (tenant_id) where state = 'current';
create unique index signing_keys_one_next on signing_keys (tenant_id) where state = 'next';

create trigger signing_keys_announce after insert or update or delete on signing_keys
  for each row execute function announce_configuration_change();
