-- A link that somebody got by mail or from an operator. The link's ticket is stored as a hash. One row a user and purpose:
-- a new ticket takes the place of the one before, so that only the newest link works. A used one stays until it would have
-- ended, so that its page can say what became of it.
create table tickets (
  tenant_id            text collate "C" not null,
  user_id              text collate "C" not null,
  purpose              text not null,
  ticket_hash          text collate "C" not null,
  connection_id        text collate "C" not null,
  identity_user_id     text collate "C" not null,
  email                text collate "C",
  client_id            text collate "C",
  result_url           text,
  marks_email_verified boolean not null,
  includes_email       boolean not null,
  login_state          text collate "C",
  created_at           timestamptz not null,
  used_at              timestamptz,
  expires_at           timestamptz not null,
  primary key (tenant_id, user_id, purpose),
  constraint tickets_hash_taken unique (tenant_id, ticket_hash),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade
);

create index tickets_by_expiry on tickets (expires_at);
