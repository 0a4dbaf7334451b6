-- What was proved when an identity was linked. A password that is reset over a mail takes apart what somebody else may have
-- put together before the address had an owner: the user's own (user_unproved), or the identity's (address_unproved).
alter table user_identities add column user_unproved boolean not null default false;
alter table user_identities add column address_unproved boolean not null default false;
