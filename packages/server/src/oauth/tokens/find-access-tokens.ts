import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { createGatherer } from '../../db/gather.ts';
import type { ClaimAdditions } from '../../pipeline/outcome.ts';
import { confirmationFromText } from '../possession/possession.ts';

interface Row {
  readonly tenant_id: string;
  readonly token_hash: string;
  readonly user_id: string;
  readonly client_id: string;
  readonly scope: string;
  readonly confirmation: string | null;
  readonly expires_at: Date;
  readonly custom_claims: ClaimAdditions | null;
}

interface LivingGrant {
  readonly additions: ClaimAdditions | undefined;
}

export type AccessTokenFinder = ReturnType<typeof createAccessTokenFinder>;

/** What /userinfo asks of the pool, gathered: the user behind an opaque token, and whether a JWT's grant is alive. */
export function createAccessTokenFinder(db: Database) {
  const find = createGatherer<{ tenantId: string; tokenHash: string }, Row>({
    textOf: ({ tenantId, tokenHash }) => `${tenantId} ${tokenHash}`,
    async ask(keys) {
      const { rows } = await sql<Row>`
        select token.tenant_id, token.token_hash, "grant".user_id, "grant".client_id, token.scope, token.confirmation, token.expires_at,
          "grant".custom_claims
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ tokenHash }) => tokenHash)}::text[]) asked(tenant_id, token_hash)
          join access_tokens token on token.tenant_id = asked.tenant_id and token.token_hash = asked.token_hash
          join token_grants "grant" on "grant".tenant_id = token.tenant_id and "grant".grant_id = token.grant_id
        where "grant".revoked_at is null`.execute(db);
      return new Map(rows.map((row) => [`${row.tenant_id} ${row.token_hash}`, row]));
    },
  });
  const findAlive = createGatherer<{ tenantId: string; grantId: string }, LivingGrant>({
    textOf: ({ tenantId, grantId }) => `${tenantId} ${grantId}`,
    async ask(keys) {
      const { rows } = await sql<{ tenant_id: string; grant_id: string; custom_claims: ClaimAdditions | null }>`
        select "grant".tenant_id, "grant".grant_id, "grant".custom_claims
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ grantId }) => grantId)}::text[]) asked(tenant_id, grant_id)
          join token_grants "grant" on "grant".tenant_id = asked.tenant_id and "grant".grant_id = asked.grant_id
        where "grant".revoked_at is null`.execute(db);
      return new Map(
        rows.map((row) => [`${row.tenant_id} ${row.grant_id}`, { additions: row.custom_claims ?? undefined }]),
      );
    },
  });

  return {
    async findAccessToken(tenantId: string, tokenHash: string, now: Date) {
      const row = await find({ tenantId, tokenHash });
      if (!row || row.expires_at <= now) return undefined;
      return {
        userId: row.user_id,
        clientId: row.client_id,
        scope: row.scope,
        confirmation: confirmationFromText(row.confirmation),
        expiresAt: row.expires_at,
        additions: row.custom_claims ?? undefined,
      };
    },

    async isAlive(tenantId: string, grantId: string): Promise<boolean> {
      return (await findAlive({ tenantId, grantId })) !== undefined;
    },

    /** Undefined where the grant is gone or revoked. */
    findLivingGrant: (tenantId: string, grantId: string): Promise<LivingGrant | undefined> =>
      findAlive({ tenantId, grantId }),
  };
}
