-- What an account was when it joined another user, for logins that were under way. Tenant code may link the user who is logging
-- in; the login goes on as the other user's only where nothing had ended it before that. What ends the access of that user
-- takes these rows along; they last a few minutes anyway.
create table joined_accounts (
  tenant_id           text collate "C" not null,
  -- The user that it was.
  account_id          text collate "C" not null,
  -- The user that has its identities now.
  user_id             text collate "C" not null,
  blocked             boolean not null,
  last_password_reset timestamptz,
  -- Ids and cookies (hashed) of the sessions that ended by joining, and not before.
  sessions            text[] collate "C" not null,
  expires_at          timestamptz not null,
  primary key (tenant_id, account_id),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade
);

create index joined_accounts_of_user on joined_accounts (tenant_id, user_id);
create index joined_accounts_by_session on joined_accounts using gin (sessions);
create index joined_accounts_by_expiry on joined_accounts (expires_at);
