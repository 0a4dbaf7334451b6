-- Which action answers an exchange of which type of token (RFC 8693).
create table token_exchange_profiles (
  tenant_id          text collate "C" not null references tenants on delete cascade,
  id                 text collate "C" not null,
  seq                bigint generated always as identity,
  name               text not null,
  subject_token_type text collate "C" not null,
  action_id          text collate "C" not null,
  type               text not null,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  primary key (tenant_id, id),
  constraint token_exchange_profiles_type_taken unique (tenant_id, subject_token_type)
);

create trigger token_exchange_profiles_announce after insert or update or delete on token_exchange_profiles
  for each row execute function announce_configuration_change();
