-- Work that the Management API was asked for, as GET /jobs/{id} tells it.
create table jobs (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  job_id     text collate "C" not null,
  type       text not null,
  status     text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, job_id)
);

create index jobs_by_expiry on jobs (expires_at);
