-- What tenant code added to a login: redeemed codes, refreshed opaque tokens and /userinfo tell it later. Null: nothing.
alter table token_grants add column custom_claims jsonb;
