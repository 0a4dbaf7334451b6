-- What searches of the log filter by besides date, type and user. Partial, since many events have no connection or client.
-- New days get them with their partition. On a log that is large already this migration reads all of it once, while
-- events wait.
create index log_events_by_client on log_events (tenant_id, client_id, at desc) where client_id is not null;
create index log_events_by_connection on log_events (tenant_id, connection, at desc) where connection is not null;
create index log_events_by_ip on log_events (tenant_id, ip, at desc) where ip is not null;
