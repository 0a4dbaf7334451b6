-- Deleting a client takes its grants along; without this index that reads them all.
create index token_grants_of_client on token_grants (tenant_id, client_id);
