-- The clients that a session logged in, each with the origin that it was used at (the issuer of its tokens): who is told
-- when the session ends. Whether the browser keeps the cookie is decided when the session begins.
alter table sessions
  add column clients jsonb not null default '{}',
  add column metadata jsonb not null default '{}',
  add column methods jsonb not null default '[]',
  add column is_persistent boolean not null default true;
create index token_grants_of_session on token_grants (tenant_id, session_id) where session_id is not null;

-- A rotating refresh token keeps its public id: who lists tokens and ends one a second later means all of its successors.
alter table refresh_tokens
  add column device jsonb not null default '{}',
  add column metadata jsonb not null default '{}';
drop index refresh_tokens_by_id;
create unique index refresh_tokens_by_id on refresh_tokens (tenant_id, token_id) where rotated_at is null;
