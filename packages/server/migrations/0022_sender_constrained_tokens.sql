-- A token that is bound to a key is good only together with a proof of that key (RFC 9449, RFC 8705). A confirmation is
-- `jkt <thumbprint>` or `x5t#S256 <thumbprint>`.
alter table authorization_codes add column dpop_jkt text collate "C";
alter table refresh_tokens add column confirmation text collate "C";
alter table access_tokens add column confirmation text collate "C";

-- Identifiers of DPoP proofs that were accepted, kept as long as their time would let them pass: a proof counts once.
create table dpop_proofs (
  tenant_id  text collate "C" not null references tenants on delete cascade,
  proof_hash text collate "C" not null,
  expires_at timestamptz not null,
  constraint dpop_proofs_used primary key (tenant_id, proof_hash)
);

create index dpop_proofs_by_expiry on dpop_proofs (expires_at);
