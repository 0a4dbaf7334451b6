-- Authorization requests that clients have pushed (RFC 9126): taken once, within seconds, by the browser that brings the name.
create table pushed_requests (
  tenant_id    text collate "C" not null,
  request_hash text collate "C" not null,
  client_id    text collate "C" not null,
  request      jsonb not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  primary key (tenant_id, request_hash),
  foreign key (tenant_id, client_id) references clients on delete cascade
);

create index pushed_requests_of_client on pushed_requests (tenant_id, client_id);
create index pushed_requests_by_expiry on pushed_requests (expires_at);
