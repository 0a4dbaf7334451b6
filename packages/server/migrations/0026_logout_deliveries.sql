-- Logout tokens to be sent (OpenID Connect Back-Channel Logout 1.0), written in the transaction that ends the session. A
-- row is claimed by moving due_at; it goes when the application has answered or the last attempt has failed.
create table logout_deliveries (
  tenant_id        text collate "C" not null references tenants on delete cascade,
  delivery_id      text collate "C" not null,
  client_id        text collate "C" not null,
  url              text not null,
  issuer           text not null,
  user_id          text collate "C" not null,
  session_id       text collate "C" not null,
  session_metadata jsonb,
  initiator        text not null,
  attempts         integer not null default 0,
  created_at       timestamptz not null,
  due_at           timestamptz not null,
  primary key (tenant_id, delivery_id),
  foreign key (tenant_id, client_id) references clients on delete cascade
);
create index logout_deliveries_due on logout_deliveries (due_at);
create index sessions_by_idle_expiry on sessions (idle_expires_at);
