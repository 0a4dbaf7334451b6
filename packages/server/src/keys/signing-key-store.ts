import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';
import type { NewSigningKey } from './make-signing-key.ts';
import type { RsaPublicJwk, SigningKey } from './signing-key.ts';

interface SigningKeyTable {
  tenant_id: string;
  kid: string;
  state: SigningKey['state'];
  public_jwk: RsaPublicJwk;
  certificate: string;
  /** Sealed; empty once the key no longer signs. */
  private_key: Buffer;
  created_at: Date;
  current_since: Date | null;
  current_until: Date | null;
  revoked_at: Date | null;
}

declare module '../db/database.ts' {
  interface Tables {
    signing_keys: SigningKeyTable;
  }
}

export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>;

/** Revoked keys that a list still shows, newest first. */
const REVOKED_SHOWN = 3;
const GONE = Buffer.alloc(0);

export function createSigningKeyStore(db: Database, sealer: Sealer) {
  const keysOf = (tenantId: string) => db.selectFrom('signing_keys').where('tenant_id', '=', tenantId);

  return {
    async insert(tenantId: string, key: NewSigningKey, state: 'current' | 'next', at: Date): Promise<void> {
      const row = {
        tenant_id: tenantId,
        kid: key.kid,
        state,
        public_jwk: key.publicJwk,
        certificate: key.certificate,
        private_key: sealer.seal(key.privateKey.export({ type: 'pkcs8', format: 'der' }), place(tenantId, key.kid)),
        created_at: at,
        current_since: state === 'current' ? at : null,
        current_until: null,
        revoked_at: null,
      };
      await db.insertInto('signing_keys').values(row).execute();
    },

    async find(tenantId: string, kid: string): Promise<SigningKey | undefined> {
      const row = await keysOf(tenantId).where('kid', '=', kid).selectAll().executeTakeFirst();
      return row && fromRow(row);
    },

    /** Current, next, previous ones (newest first), then the last revoked ones. */
    async list(tenantId: string): Promise<SigningKey[]> {
      const rows = await keysOf(tenantId).selectAll().orderBy('current_until', 'desc').execute();
      const keys = rows.map(fromRow);
      const revoked = keys.filter((key) => key.revokedAt).sort((a, b) => Number(b.revokedAt) - Number(a.revokedAt));
      return [...inOrder(keys.filter((key) => !key.revokedAt)), ...revoked.slice(0, REVOKED_SHOWN)];
    },

    /** All keys that verify, in the order of `list`, and the private half of the current one. */
    async load(tenantId: string): Promise<{ keys: SigningKey[]; privateKey: KeyObject | undefined }> {
      const rows = await keysOf(tenantId)
        .where('revoked_at', 'is', null)
        .selectAll()
        .orderBy('current_until', 'desc')
        .execute();
      const current = rows.find((row) => row.state === 'current');
      const der = current && sealer.open(current.private_key, place(tenantId, current.kid));
      return {
        keys: inOrder(rows.map(fromRow)),
        privateKey: der && createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
      };
    },

    /** Next becomes current, current becomes previous and loses its private half, `key` becomes next. In a transaction. */
    async rotate(tenantId: string, key: NewSigningKey, at: Date): Promise<void> {
      // One rotation of a tenant at a time: each of the statements below sees what the one before it committed.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`signing_keys/${tenantId}`}, 0))`.execute(db);
      const keys = db.updateTable('signing_keys').where('tenant_id', '=', tenantId);
      await keys
        .where('state', '=', 'current')
        .set({ state: 'previous', current_until: at, private_key: GONE })
        .execute();
      await keys.where('state', '=', 'next').set({ state: 'current', current_since: at }).execute();
      await this.insert(tenantId, key, 'next', at);
    },

    /** Where private halves can't be opened any more: the current key verifies on, the next one never signed and goes. */
    async retireAll(tenantId: string, at: Date): Promise<void> {
      await db.deleteFrom('signing_keys').where('tenant_id', '=', tenantId).where('state', '=', 'next').execute();
      await db
        .updateTable('signing_keys')
        .set({ state: 'previous', current_until: at, private_key: GONE })
        .where('tenant_id', '=', tenantId)
        .where('state', '=', 'current')
        .execute();
    },

    /** Ends a previous key; answers the key, or undefined where there is no such previous one. */
    async revoke(tenantId: string, kid: string, at: Date): Promise<SigningKey | undefined> {
      const row = await db
        .updateTable('signing_keys')
        .set({ revoked_at: sql<Date>`coalesce(revoked_at, ${at})`, private_key: GONE })
        .where('tenant_id', '=', tenantId)
        .where('kid', '=', kid)
        .where('state', '=', 'previous')
        .returningAll()
        .executeTakeFirst();
      return row && fromRow(row);
    },
  };
}

/** Where the sealed key belongs: the ciphertext of one tenant or key opens at no other. */
const place = (tenantId: string, kid: string): string => `signing_keys/${tenantId}/${kid}`;

function inOrder(keys: readonly SigningKey[]): SigningKey[] {
  const rank = { current: 0, next: 1, previous: 2 };
  return [...keys].sort((a, b) => rank[a.state] - rank[b.state]);
}

function fromRow(row: Selectable<SigningKeyTable>): SigningKey {
  return {
    kid: row.kid,
    state: row.state,
    publicJwk: row.public_jwk,
    certificate: row.certificate,
    createdAt: row.created_at,
    ...(row.current_since && { currentSince: row.current_since }),
    ...(row.current_until && { currentUntil: row.current_until }),
    ...(row.revoked_at && { revokedAt: row.revoked_at }),
  };
}
