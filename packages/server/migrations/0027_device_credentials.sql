-- Public keys that users' devices registered (legacy). Refresh tokens are device credentials too, and have their own table.
create table device_credentials (
  tenant_id     text collate "C" not null,
  credential_id text collate "C" not null,
  user_id       text collate "C" not null,
  client_id     text collate "C" not null,
  device_id     text collate "C" not null,
  device_name   text not null,
  value         text not null,
  created_at    timestamptz not null default now(),
  primary key (tenant_id, credential_id),
  constraint device_credentials_device_taken unique (tenant_id, user_id, client_id, device_id),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade,
  foreign key (tenant_id, client_id) references clients on delete cascade
);
