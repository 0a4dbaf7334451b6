import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { awaitedAtCommit } from '../../db/prepared-statements.ts';
import { GRANT_COLUMNS, grantFromRow, type TokenGrant } from '../tokens/token-grant-store.ts';

declare module '../../db/database.ts' {
  interface Tables {
    authorization_codes: AuthorizationCodeTable;
  }
}

interface AuthorizationCodeTable {
  tenant_id: string;
  code_hash: string;
  grant_id: string;
  client_id: string;
  redirect_uri: string | null;
  nonce: string | null;
  code_challenge: string | null;
  code_challenge_method: string | null;
  max_age: string | null;
  dpop_jkt: string | null;
  expires_at: Date;
  redeemed_at: Date | null;
}

export interface NewAuthorizationCode {
  readonly codeHash: string;
  readonly grantId: string;
  readonly clientId: string;
  /** As it stood in the request; undefined where the request named none. */
  readonly redirectUri: string | undefined;
  readonly nonce: string | undefined;
  /** S256 of the verifier (RFC 7636). */
  readonly codeChallenge: string | undefined;
  /** The request asked for max_age: the ID token must tell auth_time. */
  readonly maxAge: number | undefined;
  /** The key that the code is bound to (RFC 9449 section 10). */
  readonly dpopJkt: string | undefined;
  readonly expiresAt: Date;
}

export interface AuthorizationCode extends NewAuthorizationCode {
  readonly isRedeemed: boolean;
  readonly grant: TokenGrant;
}

export type AuthorizationCodeStore = ReturnType<typeof createAuthorizationCodeStore>;

export function createAuthorizationCodeStore(db: Database) {
  return {
    async insert(tenantId: string, code: NewAuthorizationCode): Promise<void> {
      const method = code.codeChallenge === undefined ? null : 'S256';
      const maxAge = code.maxAge === undefined ? null : String(code.maxAge);
      await sql`${awaitedAtCommit}insert into authorization_codes (tenant_id, code_hash, grant_id, client_id, redirect_uri, nonce,
          code_challenge, code_challenge_method, max_age, dpop_jkt, expires_at)
        values (${tenantId}, ${code.codeHash}, ${code.grantId}, ${code.clientId}, ${code.redirectUri ?? null},
          ${code.nonce ?? null}, ${code.codeChallenge ?? null}, ${method}, ${maxAge}, ${code.dpopJkt ?? null},
          ${code.expiresAt})`.execute(db);
    },

    async find(tenantId: string, codeHash: string): Promise<AuthorizationCode | undefined> {
      const row = await db
        .selectFrom('authorization_codes as code')
        .innerJoin('token_grants as grant', (join) =>
          join.onRef('grant.tenant_id', '=', 'code.tenant_id').onRef('grant.grant_id', '=', 'code.grant_id'),
        )
        .select([
          'code.code_hash',
          'code.redirect_uri',
          'code.nonce',
          'code.code_challenge',
          'code.max_age',
          'code.dpop_jkt',
        ])
        .select(['code.expires_at as code_expires_at', 'code.redeemed_at', ...GRANT_COLUMNS])
        .where('code.tenant_id', '=', tenantId)
        .where('code.code_hash', '=', codeHash)
        .executeTakeFirst();
      if (!row) return undefined;
      return {
        codeHash: row.code_hash,
        grantId: row.grant_id,
        clientId: row.client_id,
        redirectUri: row.redirect_uri ?? undefined,
        nonce: row.nonce ?? undefined,
        codeChallenge: row.code_challenge ?? undefined,
        maxAge: row.max_age === null ? undefined : Number(row.max_age),
        dpopJkt: row.dpop_jkt ?? undefined,
        expiresAt: row.code_expires_at,
        isRedeemed: row.redeemed_at !== null,
        grant: grantFromRow(row),
      };
    },

    /** Redeems a code. Of parallel callers, in however many processes, one gets true. */
    async redeem(tenantId: string, codeHash: string, now: Date): Promise<boolean> {
      const result = await db
        .updateTable('authorization_codes')
        .set({ redeemed_at: now })
        .where('tenant_id', '=', tenantId)
        .where('code_hash', '=', codeHash)
        .where('redeemed_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}
