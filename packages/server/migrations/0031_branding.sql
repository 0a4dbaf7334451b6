-- How a tenant's pages look: /api/v2/branding, its one theme, and the page template around the login box.
create table branding (
  tenant_id  text collate "C" primary key references tenants on delete cascade,
  settings   jsonb not null default '{}',
  theme_id   text collate "C",
  theme      jsonb,
  template   text,
  updated_at timestamptz not null default now(),
  constraint branding_theme_whole check ((theme_id is null) = (theme is null))
);

create trigger branding_announce after insert or update or delete on branding
  for each row execute function announce_configuration_change();
