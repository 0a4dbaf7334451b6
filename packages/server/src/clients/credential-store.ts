import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { isObject, oneOf, textOf } from '../kit/json-values.ts';
import type { ClientCredential } from './credential.ts';

declare module '../db/database.ts' {
  interface Tables {
    client_credentials: CredentialTable;
  }
}

interface CredentialTable {
  tenant_id: string;
  client_id: string;
  credential_id: string;
  seq: Generated<string>;
  body: JSONColumnType<Record<string, unknown>>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  expires_at: Date | null;
}

export type CredentialStore = ReturnType<typeof createCredentialStore>;

export function createCredentialStore(db: Database) {
  return {
    async insert(tenantId: string, credential: ClientCredential): Promise<void> {
      await db
        .insertInto('client_credentials')
        .values({
          tenant_id: tenantId,
          client_id: credential.clientId,
          credential_id: credential.id,
          body: JSON.stringify({
            name: credential.name,
            credential_type: credential.credentialType,
            kid: credential.kid,
            alg: credential.alg,
            public_jwk: credential.publicJwk,
            subject_dn: credential.subjectDn,
            thumbprint_sha256: credential.thumbprintSha256,
          }),
          created_at: credential.createdAt,
          updated_at: credential.updatedAt,
          expires_at: credential.expiresAt ?? null,
        })
        .execute();
    },

    list(tenantId: string, clientId: string): Promise<ClientCredential[]> {
      return readCredentials(db, tenantId, [clientId]);
    },

    async setExpiry(tenantId: string, clientId: string, id: string, expiresAt: Date | undefined): Promise<void> {
      await db
        .updateTable('client_credentials')
        .set({ expires_at: expiresAt ?? null, updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('client_id', '=', clientId)
        .where('credential_id', '=', id)
        .execute();
    },

    async remove(tenantId: string, clientId: string, id: string): Promise<void> {
      await db
        .deleteFrom('client_credentials')
        .where('tenant_id', '=', tenantId)
        .where('client_id', '=', clientId)
        .where('credential_id', '=', id)
        .execute();
    },
  };
}

/** All credentials of some clients, oldest first; a client has few. */
export async function readCredentials(
  db: Database,
  tenantId: string,
  clientIds: readonly string[],
): Promise<ClientCredential[]> {
  if (clientIds.length === 0) return [];
  const rows = await db
    .selectFrom('client_credentials')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('client_id', 'in', [...clientIds])
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({
    id: row.credential_id,
    clientId: row.client_id,
    name: textOf(row.body.name),
    credentialType: oneOf(['public_key', 'cert_subject_dn', 'x509_cert'], row.body.credential_type) ?? 'public_key',
    kid: textOf(row.body.kid),
    alg: oneOf(['RS256', 'RS384', 'PS256'], row.body.alg),
    publicJwk: isObject(row.body.public_jwk) ? row.body.public_jwk : undefined,
    subjectDn: textOf(row.body.subject_dn),
    thumbprintSha256: textOf(row.body.thumbprint_sha256),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at ?? undefined,
  }));
}
