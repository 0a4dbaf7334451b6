-- A login that tenant code sent to another page: it goes on at /continue, with a state of its own and with what the code
-- wants to find again. `continued_at`: since when a request goes on with it, so that of several one does.
alter table login_transactions
  add column continue_hash text collate "C",
  add column suspended jsonb,
  add column continued_at timestamptz;

create unique index login_transactions_to_continue on login_transactions (tenant_id, continue_hash)
  where continue_hash is not null;
