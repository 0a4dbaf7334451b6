-- What another system gave its user at a login there (access_token, refresh_token): one sealed JSON object.
alter table user_identities add column idp_tokens bytea;
