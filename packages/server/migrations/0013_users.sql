-- Administrators are users of a reserved connection. Lists, counts and searches leave them out without a join.
alter table users add column is_system boolean not null default false;

drop index users_in_order;
create index users_in_order on users (tenant_id, seq) where not is_system;

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
