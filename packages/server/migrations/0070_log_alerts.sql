-- What the counts of the log showed: opened once, resolved once.
create table log_alerts (
  tenant_id     text collate "C" not null references tenants on delete cascade,
  alert_id      text collate "C" not null,
  seq           bigint generated always as identity,
  rule          text collate "C" not null,
  -- Whom or what it is about: an address, a user, an application; '' the tenant as a whole.
  subject       text collate "C" not null,
  status        text collate "C" not null,
  facts         jsonb not null,
  opened_at     timestamptz not null,
  last_seen_at  timestamptz not null,
  resolved_at   timestamptz,
  -- Looks in succession that found it quiet.
  quiet         integer not null default 0,
  -- Nobody is told of this rule and subject until then.
  muted_until   timestamptz,
  expires_at    timestamptz not null,
  primary key (tenant_id, alert_id),
  constraint log_alerts_status_known check (status in ('open', 'resolved'))
);

create unique index log_alerts_open_once on log_alerts (tenant_id, rule, subject) where status = 'open';
create index log_alerts_in_order on log_alerts (tenant_id, seq);
create index log_alerts_muted on log_alerts (tenant_id, rule, subject, muted_until) where muted_until is not null;
create index log_alerts_by_expiry on log_alerts (expires_at);

-- Who is told.
create table log_alert_settings (
  tenant_id      text collate "C" not null references tenants on delete cascade,
  webhook_url    text,
  webhook_format text collate "C" not null default 'json',
  -- Sealed.
  signing_secret bytea,
  mail_to        text[] not null default '{}',
  updated_at     timestamptz not null,
  primary key (tenant_id),
  constraint log_alert_settings_format_known check (webhook_format in ('json', 'slack'))
);

-- What is still to be sent to a webhook.
create table log_alert_notices (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  notice_id  text collate "C" not null,
  content    jsonb not null,
  attempts   integer not null default 0,
  due_at     timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, notice_id)
);

create index log_alert_notices_due on log_alert_notices (due_at);
create index log_alert_notices_by_expiry on log_alert_notices (expires_at);
