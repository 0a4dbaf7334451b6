-- The user that the grant's own joined: it was revoked by that, and by nothing else. Tenant code that links the user of a
-- refresh token, in this very refresh, hands its grant over.
alter table token_grants add column joined_user_id text collate "C";

create index token_grants_joined on token_grants (tenant_id, joined_user_id) where joined_user_id is not null;
