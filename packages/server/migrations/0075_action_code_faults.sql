-- Why the code of an action's draft can't be compiled, with the digest of the code that it was found in: an older process that
-- changes the code during an upgrade leaves a fault behind that counts no more.
alter table actions add column code_fault jsonb;
