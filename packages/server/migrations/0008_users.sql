-- A user is one person in a tenant; where the person comes from stands in user_identities. `profile` holds the other
-- catalogue fields (name, picture, address …) as they go over the wire.
create table users (
  tenant_id     text collate "C" not null references tenants on delete cascade,
  user_id       text collate "C" not null,
  seq           bigint generated always as identity,
  email         text collate "C",
  email_verified boolean not null default false,
  phone_number  text collate "C",
  phone_verified boolean not null default false,
  username      text collate "C",
  blocked       boolean not null default false,
  profile       jsonb not null default '{}',
  user_metadata jsonb not null default '{}',
  app_metadata  jsonb not null default '{}',
  logins_count  bigint not null default 0,
  last_login    timestamptz,
  last_ip       text,
  last_password_reset timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  primary key (tenant_id, user_id)
);

create index users_by_email on users (tenant_id, lower(email));
create index users_in_order on users (tenant_id, seq);

-- An identity belongs to one connection. Its keys are the lower-cased, NFKC-normalised e-mail, username and phone number:
-- they are unique within the connection, not within the tenant.
create table user_identities (
  tenant_id        text collate "C" not null,
  provider         text collate "C" not null,
  identity_user_id text collate "C" not null,
  user_id          text collate "C" not null,
  connection_id    text collate "C" not null,
  position         integer not null default 0,
  email_key        text collate "C",
  username_key     text collate "C",
  phone_key        text collate "C",
  password_hash    text,
  profile          jsonb not null default '{}',
  primary key (tenant_id, provider, identity_user_id, connection_id),
  constraint user_identities_email_taken unique (tenant_id, connection_id, email_key),
  constraint user_identities_username_taken unique (tenant_id, connection_id, username_key),
  constraint user_identities_phone_taken unique (tenant_id, connection_id, phone_key),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade,
  foreign key (tenant_id, connection_id) references connections on delete cascade
);

create index user_identities_of_user on user_identities (tenant_id, user_id, position);
