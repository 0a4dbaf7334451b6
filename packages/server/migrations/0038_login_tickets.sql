-- A password that was right, at a form which an application hosts itself (auth0.js, Lock): worth one /authorize request of the
-- same client in the same browser. The ticket, the verifier and the browser's cookie are stored as hashes.
create table login_tickets (
  tenant_id     text collate "C" not null,
  ticket_hash   text collate "C" not null,
  verifier_hash text collate "C" not null,
  browser_hash  text collate "C" not null,
  client_id     text collate "C" not null,
  user_id       text collate "C" not null,
  connection_id text collate "C" not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  primary key (tenant_id, ticket_hash),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade
);

create index login_tickets_of_user on login_tickets (tenant_id, user_id);
create index login_tickets_by_expiry on login_tickets (expires_at);
