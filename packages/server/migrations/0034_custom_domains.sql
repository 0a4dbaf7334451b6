-- Domains of a tenant's own. Several tenants may ask for one, each with a proof of its own to place in the DNS: a claim
-- that nobody proved must not lock the owner out. Whoever proves it first has it, and it becomes an origin of the tenant.
create table custom_domains (
  tenant_id        text collate "C" not null references tenants on delete cascade,
  custom_domain_id text collate "C" not null,
  domain           text collate "C" not null,
  status           text not null default 'pending_verification',
  -- What the owner writes into the DNS; random, so that no other tenant's record will do.
  proof            text not null,
  settings         jsonb not null default '{}',
  created_at       timestamptz not null default now(),
  checked_at       timestamptz,
  error            text,
  primary key (tenant_id, custom_domain_id),
  constraint custom_domains_taken_in_tenant unique (tenant_id, domain),
  constraint custom_domains_status_known check (status in ('pending_verification', 'ready'))
);

create unique index custom_domains_taken on custom_domains (domain) where status = 'ready';

create trigger custom_domains_announce after insert or update or delete on custom_domains
  for each row execute function announce_configuration_change();
