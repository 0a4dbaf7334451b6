-- Hashes of former passwords, kept only where the connection's options ask for it, and only as many as they ask for.
create table password_history (
  tenant_id        text collate "C" not null,
  provider         text collate "C" not null,
  identity_user_id text collate "C" not null,
  connection_id    text collate "C" not null,
  seq              bigint generated always as identity,
  password_hash    text not null,
  primary key (tenant_id, provider, identity_user_id, connection_id, seq),
  foreign key (tenant_id, provider, identity_user_id, connection_id) references user_identities on delete cascade on update cascade
);
