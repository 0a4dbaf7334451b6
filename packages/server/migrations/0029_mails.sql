-- Mails of a tenant, written with the change that causes them. `status` is stored (the built-in provider keeps them), later
-- queued, sent, failed or bounced. The content carries links that open accounts: it is sealed.
create table mails (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  mail_id    text collate "C" not null,
  seq        bigint generated always as identity,
  template   text not null,
  recipient  text not null,
  sender     text not null,
  subject    text not null,
  language   text not null,
  content    bytea not null,
  user_id    text collate "C",
  status     text not null,
  status_at  timestamptz not null,
  attempts   integer not null default 0,
  error      text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, mail_id)
);

create index mails_in_order on mails (tenant_id, seq);
create index mails_by_expiry on mails (expires_at);
