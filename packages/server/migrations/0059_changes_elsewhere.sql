-- While a script changes a password elsewhere nobody logs in there: it may be with the old one. The server that asked may be
-- gone by the time the script is done, so the mark ends by itself.
alter table user_identities add column changing_until timestamptz;
-- What the script says about the time of the change. It is shown; last_password_reset is what sessions and tokens are held against.
alter table users add column reported_password_reset timestamptz;
-- While a script verifies an address elsewhere its link belongs to one click.
alter table tickets add column claimed_until timestamptz;
-- A script has let somebody in: passwords of here, from before, count no more.
alter table connections add column is_used_elsewhere boolean not null default false;
update connections set is_used_elsewhere = true
  where strategy = 'auth0' and body #>> '{options,enabledDatabaseCustomization}' = 'true'
    and body #>> '{options,import_mode}' is distinct from 'true';
