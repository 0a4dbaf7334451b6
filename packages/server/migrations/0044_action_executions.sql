-- What the actions of one trigger did, for those who ask within ten days.
create table action_executions (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  id         text collate "C" not null,
  trigger_id text collate "C" not null,
  status     text not null,
  results    jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, id)
);
create index action_executions_expire on action_executions (expires_at);
