-- What the pages say and carry besides: the settings of /api/v2/prompts, texts that replace ours, parts of forms, and
-- which screens an application of the tenant renders itself.
create table prompt_settings (
  tenant_id  text collate "C" primary key references tenants on delete cascade,
  body       jsonb not null default '{}',
  updated_at timestamptz not null default now()
);

create table custom_texts (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  language   text collate "C" not null,
  prompt     text collate "C" not null,
  body       jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, language, prompt)
);

create table prompt_partials (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  prompt     text collate "C" not null,
  body       jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, prompt)
);

create table screen_renderings (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  prompt     text collate "C" not null,
  screen     text collate "C" not null,
  body       jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, prompt, screen)
);

create trigger prompt_settings_announce after insert or update or delete on prompt_settings
  for each row execute function announce_configuration_change();
create trigger custom_texts_announce after insert or update or delete on custom_texts
  for each row execute function announce_configuration_change();
create trigger prompt_partials_announce after insert or update or delete on prompt_partials
  for each row execute function announce_configuration_change();
create trigger screen_renderings_announce after insert or update or delete on screen_renderings
  for each row execute function announce_configuration_change();
