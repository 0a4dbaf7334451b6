-- A browser's login. The cookie's value is stored as a hash; session_id is the public `sid` claim and opens nothing.
create table sessions (
  tenant_id        text collate "C" not null,
  session_id       text collate "C" not null,
  cookie_hash      text collate "C" not null,
  user_id          text collate "C" not null,
  connection_id    text collate "C" not null,
  authenticated_at timestamptz not null,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  idle_expires_at  timestamptz not null,
  expires_at       timestamptz not null,
  device           jsonb not null default '{}',
  primary key (tenant_id, session_id),
  constraint sessions_cookie_taken unique (tenant_id, cookie_hash),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade
);

create index sessions_of_user on sessions (tenant_id, user_id);
create index sessions_by_expiry on sessions (expires_at);

-- A login under way: the /authorize request that it answers, bound to the browser that began it.
create table login_transactions (
  tenant_id    text collate "C" not null references tenants on delete cascade,
  state_hash   text collate "C" not null,
  browser_hash text collate "C" not null,
  client_id    text collate "C" not null,
  request      jsonb not null,
  session_id   text collate "C",
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  primary key (tenant_id, state_hash)
);

create index login_transactions_by_expiry on login_transactions (expires_at);
