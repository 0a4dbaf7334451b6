-- Finds rotated tokens whose reuse needs no notice any more.
create index refresh_tokens_rotated on refresh_tokens (idle_expires_at) where rotated_at is not null;
