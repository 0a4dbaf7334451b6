-- An action chose when the session ends if nobody uses it: good until the next use, whatever the tenant's own time is.
alter table sessions add column is_idle_set boolean not null default false;
