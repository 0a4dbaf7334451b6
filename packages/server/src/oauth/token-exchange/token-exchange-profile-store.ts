import { type Generated, type Selectable, sql } from 'kysely';
import { violatedConstraint } from '../../db/constraint.ts';
import type { Database } from '../../db/database.ts';
import { profileErrors, type TokenExchangeProfile } from './token-exchange-profile.ts';

declare module '../../db/database.ts' {
  interface Tables {
    token_exchange_profiles: ProfileTable;
  }
}

interface ProfileTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  subject_token_type: string;
  action_id: string;
  type: string;
  created_at: Date;
  updated_at: Date;
}

export interface ListedProfile {
  readonly position: string;
  readonly profile: TokenExchangeProfile;
}

export type TokenExchangeProfileStore = ReturnType<typeof createTokenExchangeProfileStore>;

export function createTokenExchangeProfileStore(db: Database) {
  const rows = (tenantId: string) =>
    db.selectFrom('token_exchange_profiles').selectAll().where('tenant_id', '=', tenantId);

  return {
    async insert(tenantId: string, profile: TokenExchangeProfile): Promise<void> {
      const values = {
        tenant_id: tenantId,
        id: profile.id,
        name: profile.name,
        subject_token_type: profile.subjectTokenType,
        action_id: profile.actionId,
        type: profile.type,
        created_at: profile.createdAt,
        updated_at: profile.updatedAt,
      };
      await refusingTakenType(db.insertInto('token_exchange_profiles').values(values).execute());
    },

    async find(tenantId: string, id: string): Promise<TokenExchangeProfile | undefined> {
      const row = await rows(tenantId).where('id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },

    /** The changed profile; undefined where there is none. */
    async update(
      tenantId: string,
      id: string,
      change: Partial<Pick<TokenExchangeProfile, 'name' | 'subjectTokenType'>>,
      now: Date,
    ): Promise<TokenExchangeProfile | undefined> {
      const values = {
        updated_at: now,
        ...(change.name !== undefined && { name: change.name }),
        ...(change.subjectTokenType !== undefined && { subject_token_type: change.subjectTokenType }),
      };
      const row = await refusingTakenType(
        db
          .updateTable('token_exchange_profiles')
          .set(values)
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst(),
      );
      return row && fromRow(row);
    },

    async remove(tenantId: string, id: string): Promise<void> {
      await db.deleteFrom('token_exchange_profiles').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    },

    async hasAction(tenantId: string, actionId: string): Promise<boolean> {
      return (await rows(tenantId).where('action_id', '=', actionId).limit(1).executeTakeFirst()) !== undefined;
    },

    async removeOfAction(tenantId: string, actionId: string): Promise<void> {
      await db
        .deleteFrom('token_exchange_profiles')
        .where('tenant_id', '=', tenantId)
        .where('action_id', '=', actionId)
        .execute();
    },

    /** Counts while nobody else of the tenant adds one. */
    async lockedCount(tenantId: string): Promise<number> {
      await sql`select pg_advisory_xact_lock(hashtext(${`token-exchange-profiles ${tenantId}`}))`.execute(db);
      const row = await db
        .selectFrom('token_exchange_profiles')
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .where('tenant_id', '=', tenantId)
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },

    async after(tenantId: string, position: string | undefined, limit: number): Promise<ListedProfile[]> {
      let found = rows(tenantId).orderBy('seq').limit(limit);
      if (position !== undefined) found = found.where('seq', '>', position);
      return (await found.execute()).map((row) => ({ position: row.seq, profile: fromRow(row) }));
    },
  };
}

async function refusingTakenType<Result>(written: Promise<Result>): Promise<Result> {
  try {
    return await written;
  } catch (cause) {
    if (violatedConstraint(cause) === 'token_exchange_profiles_type_taken')
      throw profileErrors.typeTaken({}, { cause });
    throw cause;
  }
}

function fromRow(row: Selectable<ProfileTable>): TokenExchangeProfile {
  return {
    id: row.id,
    name: row.name,
    subjectTokenType: row.subject_token_type,
    actionId: row.action_id,
    type: 'custom_authentication',
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
