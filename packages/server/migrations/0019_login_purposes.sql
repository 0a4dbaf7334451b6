-- What a login is for: an /authorize request, or a device whose code the user confirmed.
alter table login_transactions add column kind text not null default 'authorize';
-- What has happened in it besides the login itself.
alter table login_transactions add column progress jsonb not null default '{}';
