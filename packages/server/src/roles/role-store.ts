import { type Generated, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { MOST_ROLES, type Role, roleErrors } from './role.ts';

declare module '../db/database.ts' {
  interface Tables {
    roles: RoleTable;
  }
}

interface RoleTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  description: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export type RoleStore = ReturnType<typeof createRoleStore>;

export function createRoleStore(db: Database) {
  const columns = ['id', 'name', 'description'] as const;
  const listed = (tenantId: string, nameContains: string | undefined) =>
    db
      .selectFrom('roles')
      .where('tenant_id', '=', tenantId)
      .$if(nameContains !== undefined, (query) =>
        query.where(sql<boolean>`strpos(lower(name), lower(${nameContains ?? ''})) > 0`),
      );

  return {
    /** `stores` is one transaction: the limit holds for parallel creators as well. */
    async insert(tenantId: string, role: Role): Promise<void> {
      await sql`select pg_advisory_xact_lock(hashtext('roles'), hashtext(${tenantId}))`.execute(db);
      if ((await this.count(tenantId, undefined)) >= MOST_ROLES) {
        throw roleErrors.tooMany({ limit: MOST_ROLES, things: 'roles for this tenant' });
      }
      const { id, name, description = null } = role;
      await translatingConflicts(
        db.insertInto('roles').values({ tenant_id: tenantId, id, name, description }).execute(),
      );
    },

    async find(tenantId: string, id: string): Promise<Role | undefined> {
      const row = await db
        .selectFrom('roles')
        .select(columns)
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** Changes what is named, in one statement; undefined when the role is not there. */
    async update(tenantId: string, id: string, change: Partial<Omit<Role, 'id'>>): Promise<Role | undefined> {
      const row = await translatingConflicts(
        db
          .updateTable('roles')
          .set({
            ...(change.name === undefined ? {} : { name: change.name }),
            ...('description' in change ? { description: change.description ?? null } : {}),
            updated_at: sql`now()`,
          })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .returning(columns)
          .executeTakeFirst(),
      );
      return row && fromRow(row);
    },

    /** False when it is not there. Its permissions and members go with it. */
    async remove(tenantId: string, id: string): Promise<boolean> {
      const result = await db
        .deleteFrom('roles')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },

    async window(tenantId: string, nameContains: string | undefined, offset: number, limit: number): Promise<Role[]> {
      const rows = await listed(tenantId, nameContains)
        .select(columns)
        .orderBy('seq')
        .offset(offset)
        .limit(limit)
        .execute();
      return rows.map(fromRow);
    },

    async count(tenantId: string, nameContains: string | undefined): Promise<number> {
      const row = await listed(tenantId, nameContains)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}

export function fromRow({ id, name, description }: Pick<RoleTable, 'id' | 'name' | 'description'>): Role {
  return { id, name, description: description ?? undefined };
}

async function translatingConflicts<Result>(statement: Promise<Result>): Promise<Result> {
  try {
    return await statement;
  } catch (cause) {
    if (violatedConstraint(cause) === 'roles_name_taken') throw roleErrors.nameTaken({}, { cause });
    throw cause;
  }
}
