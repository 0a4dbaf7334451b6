-- Devices that wait for their user (RFC 8628). The code that the user types is short: it is stored under a keyed hash.
create table device_codes (
  tenant_id        text collate "C" not null,
  device_code_hash text collate "C" not null,
  user_code_hash   text collate "C" not null,
  client_id        text collate "C" not null,
  audience         text,
  scope            text not null,
  status           text not null default 'pending',
  grant_id         text collate "C",
  poll_interval    integer not null,
  polled_at        timestamptz,
  expiry_told      boolean not null default false,
  created_at       timestamptz not null default now(),
  expires_at       timestamptz not null,
  primary key (tenant_id, device_code_hash),
  constraint device_codes_user_code_taken unique (tenant_id, user_code_hash),
  foreign key (tenant_id, client_id) references clients on delete cascade,
  foreign key (tenant_id, grant_id) references token_grants on delete cascade
);

create index device_codes_by_expiry on device_codes (expires_at);
create index device_codes_of_client on device_codes (tenant_id, client_id);
create index device_codes_of_grant on device_codes (tenant_id, grant_id);

-- How often something was tried in a window of time, counted before it is tried, so that no burst of requests gets past.
create table attempt_windows (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  name       text collate "C" not null,
  attempts   integer not null,
  expires_at timestamptz not null,
  primary key (tenant_id, name)
);

create index attempt_windows_by_expiry on attempt_windows (expires_at);
