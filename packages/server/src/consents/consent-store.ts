import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Consent, ConsentKey } from './consent.ts';

declare module '../db/database.ts' {
  interface Tables {
    consents: ConsentTable;
  }
}

interface ConsentTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  user_id: string;
  client_id: string;
  audience: string;
  resource_server_id: string | null;
  scopes: JSONColumnType<string[]>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface ConsentFilter {
  readonly userId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly audience?: string | undefined;
}

export type ConsentStore = ReturnType<typeof createConsentStore>;

const COLUMNS = ['id', 'user_id', 'client_id', 'audience', 'scopes'] as const;

export function createConsentStore(db: Database) {
  function filtered(tenantId: string, { userId, clientId, audience }: ConsentFilter) {
    let rows = db.selectFrom('consents').where('tenant_id', '=', tenantId);
    if (userId !== undefined) rows = rows.where('user_id', '=', userId);
    if (clientId !== undefined) rows = rows.where('client_id', '=', clientId);
    if (audience !== undefined) rows = rows.where('audience', '=', audience);
    return rows;
  }

  return {
    async find(tenantId: string, key: ConsentKey): Promise<Consent | undefined> {
      const row = await filtered(tenantId, key).select(COLUMNS).executeTakeFirst();
      return row && fromRow(row);
    },

    /** Adds to what the user allowed before; of two tabs that ask for different things, both get theirs. */
    async give(tenantId: string, consent: Consent, resourceServerId: string | undefined): Promise<void> {
      await db
        .insertInto('consents')
        .values({
          tenant_id: tenantId,
          id: consent.id,
          user_id: consent.userId,
          client_id: consent.clientId,
          audience: consent.audience,
          resource_server_id: resourceServerId ?? null,
          scopes: JSON.stringify(consent.scopes),
        })
        .onConflict((conflict) =>
          conflict.constraint('consents_given_once').doUpdateSet({
            updated_at: sql`now()`,
            scopes: sql`(select jsonb_agg(distinct scope) from jsonb_array_elements(consents.scopes || excluded.scopes) scope)`,
          }),
        )
        .execute();
    },

    /** True where the consent is still there; then it can't be withdrawn before this transaction ends. */
    async hold(tenantId: string, id: string): Promise<boolean> {
      const row = await db
        .selectFrom('consents')
        .select('id')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .forKeyShare()
        .executeTakeFirst();
      return row !== undefined;
    },

    /** What was withdrawn, if it was there. */
    async remove(tenantId: string, id: string): Promise<Consent | undefined> {
      const row = await db
        .deleteFrom('consents')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .returning(COLUMNS)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** What a user allowed one client at one API, or (audience '') about themselves. */
    async withdraw(
      tenantId: string,
      { userId, clientId, audience }: Pick<Consent, 'userId' | 'clientId' | 'audience'>,
    ): Promise<void> {
      await db
        .deleteFrom('consents')
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .where('client_id', '=', clientId)
        .where('audience', '=', audience)
        .execute();
    },

    async removeOfUser(tenantId: string, userId: string): Promise<void> {
      await db.deleteFrom('consents').where('tenant_id', '=', tenantId).where('user_id', '=', userId).execute();
    },

    async page(tenantId: string, filter: ConsentFilter, offset: number, limit: number): Promise<Consent[]> {
      const rows = filtered(tenantId, filter).select(COLUMNS).orderBy('seq').offset(offset).limit(limit);
      return (await rows.execute()).map(fromRow);
    },

    async count(tenantId: string, filter: ConsentFilter): Promise<number> {
      const row = await filtered(tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}

function fromRow(row: { id: string; user_id: string; client_id: string; audience: string; scopes: string[] }): Consent {
  return {
    id: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    audience: row.audience,
    scopes: row.scopes,
  };
}
