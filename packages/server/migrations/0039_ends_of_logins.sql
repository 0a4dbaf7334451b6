-- Why a device was turned away, where its user did not do it: told at its next poll.
alter table device_codes add column refusal text;

-- The language of the mail that a link stood in: its pages are in that language, too.
alter table tickets add column language text;

-- Links that this one took the place of: of an address that is verified by then they say so.
alter table tickets add column former_hashes text[] collate "C" not null default '{}';
create index tickets_by_former_hash on tickets using gin (former_hashes);

-- The verifier opens nothing: whoever asked for a ticket has it. Only a version before this one still writes its hash.
alter table login_tickets alter column verifier_hash drop not null;
