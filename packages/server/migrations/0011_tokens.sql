-- Codes and tokens are stored as hashes. A token grant is what one login gave to one client; revoking it ends all that came
-- of it. (Auth0's /grants, a user's consents, are another thing.)
create table token_grants (
  tenant_id     text collate "C" not null,
  grant_id      text collate "C" not null,
  client_id     text collate "C" not null,
  user_id       text collate "C" not null,
  connection_id text collate "C" not null,
  session_id    text collate "C",
  grant_type    text not null,
  audience      text,
  scope         text not null default '',
  auth_time     timestamptz not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  revoked_at    timestamptz,
  primary key (tenant_id, grant_id),
  foreign key (tenant_id, client_id) references clients on delete cascade
);

-- A grant outlives its user, revoked, so that a refresh can say that the user is gone; and a user who is made again under
-- the same id gets none of the old grants back.
create function revoke_grants_of_deleted_user() returns trigger language plpgsql as $$
begin
  update token_grants set revoked_at = now()
    where tenant_id = old.tenant_id and user_id = old.user_id and revoked_at is null;
  return null;
end
$$;

create trigger users_revoke_grants after delete on users
  for each row execute function revoke_grants_of_deleted_user();

create index token_grants_of_user on token_grants (tenant_id, user_id, client_id);
create index token_grants_by_expiry on token_grants (expires_at);

-- Redeeming sets redeemed_at in the statement that finds the row, so that of parallel redemptions one wins.
create table authorization_codes (
  tenant_id             text collate "C" not null,
  code_hash             text collate "C" not null,
  grant_id              text collate "C" not null,
  client_id             text collate "C" not null,
  redirect_uri          text,
  nonce                 text,
  code_challenge        text,
  code_challenge_method text,
  max_age               bigint,
  expires_at            timestamptz not null,
  redeemed_at           timestamptz,
  primary key (tenant_id, code_hash),
  foreign key (tenant_id, grant_id) references token_grants on delete cascade
);

create index authorization_codes_by_expiry on authorization_codes (expires_at);

-- rotated_at is set when the successor was issued; the successor is derived from the presented token, never stored.
create table refresh_tokens (
  tenant_id       text collate "C" not null,
  token_hash      text collate "C" not null,
  token_id        text collate "C" not null,
  grant_id        text collate "C" not null,
  rotating        boolean not null,
  created_at      timestamptz not null default now(),
  idle_expires_at timestamptz,
  expires_at      timestamptz,
  rotated_at      timestamptz,
  last_used_at    timestamptz,
  primary key (tenant_id, token_hash),
  foreign key (tenant_id, grant_id) references token_grants on delete cascade
);

create index refresh_tokens_of_grant on refresh_tokens (tenant_id, grant_id);
create unique index refresh_tokens_by_id on refresh_tokens (tenant_id, token_id);

-- Opaque access tokens (issued without an audience). A JWT names its grant in its jti instead and needs no row.
create table access_tokens (
  tenant_id  text collate "C" not null,
  token_hash text collate "C" not null,
  grant_id   text collate "C" not null,
  scope      text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant_id, token_hash),
  foreign key (tenant_id, grant_id) references token_grants on delete cascade
);

create index access_tokens_of_grant on access_tokens (tenant_id, grant_id);
create index access_tokens_by_expiry on access_tokens (expires_at);
