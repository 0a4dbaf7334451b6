-- Roles bundle permissions; users hold roles and permissions of their own. A permission is a scope of an API.
create table roles (
  tenant_id   text collate "C" not null references tenants on delete cascade,
  id          text collate "C" not null,
  seq         bigint generated always as identity,
  name        text not null,
  description text,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint roles_name_taken unique (tenant_id, name)
);

create table role_permissions (
  tenant_id          text collate "C" not null,
  role_id            text collate "C" not null,
  resource_server_id text collate "C" not null,
  permission         text collate "C" not null,
  seq                bigint generated always as identity,
  primary key (tenant_id, role_id, resource_server_id, permission),
  foreign key (tenant_id, role_id) references roles on delete cascade,
  foreign key (tenant_id, resource_server_id) references resource_servers on delete cascade
);

create table user_roles (
  tenant_id text collate "C" not null,
  user_id   text collate "C" not null,
  role_id   text collate "C" not null,
  seq       bigint generated always as identity,
  primary key (tenant_id, user_id, role_id),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade,
  foreign key (tenant_id, role_id) references roles on delete cascade
);

create index user_roles_of_role on user_roles (tenant_id, role_id, seq);

create table user_permissions (
  tenant_id          text collate "C" not null,
  user_id            text collate "C" not null,
  resource_server_id text collate "C" not null,
  permission         text collate "C" not null,
  seq                bigint generated always as identity,
  primary key (tenant_id, user_id, resource_server_id, permission),
  foreign key (tenant_id, user_id) references users on delete cascade on update cascade,
  foreign key (tenant_id, resource_server_id) references resource_servers on delete cascade
);
