-- The functions that came before actions: one enabled for each trigger. Their secrets are one sealed object.
create table hooks (
  tenant_id    text collate "C" not null references tenants on delete cascade,
  id           text collate "C" not null,
  seq          bigint generated always as identity,
  name         text not null,
  trigger_id   text collate "C" not null,
  script       text not null,
  dependencies jsonb not null default '{}',
  is_enabled   boolean not null,
  secrets      bytea,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  primary key (tenant_id, id)
);

create unique index hooks_one_enabled on hooks (tenant_id, trigger_id) where is_enabled;

create trigger hooks_announce after insert or update or delete on hooks
  for each row execute function announce_configuration_change();
