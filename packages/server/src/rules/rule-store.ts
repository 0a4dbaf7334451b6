import { type Generated, type Selectable, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { LONGEST_PROGRAM, MOST_RULES, type Rule, ruleErrors } from './rule.ts';

declare module '../db/database.ts' {
  interface Tables {
    rules: RuleTable;
  }
}

interface RuleTable {
  tenant_id: string;
  id: string;
  name: string;
  script: string;
  position: number;
  is_enabled: boolean;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export type NewRule = Omit<Rule, 'order'> & { readonly order: number | undefined };
export type RuleChange = Partial<Omit<Rule, 'id'>>;

export type RuleStore = ReturnType<typeof createRuleStore>;

export function createRuleStore(db: Database) {
  const rows = (tenantId: string, isEnabled: boolean | undefined) =>
    db
      .selectFrom('rules')
      .where('tenant_id', '=', tenantId)
      .$if(isEnabled !== undefined, (query) => query.where('is_enabled', '=', isEnabled ?? true));

  /** Rules are counted, measured and numbered while nobody else of the tenant does: `db` is a transaction. */
  async function lockedTotals(tenantId: string) {
    await sql`select pg_advisory_xact_lock(hashtext('rules'), hashtext(${tenantId}))`.execute(db);
    const row = await db
      .selectFrom('rules')
      .select(({ fn }) => [
        fn.countAll<string>().as('count'),
        fn.max('position').as('last'),
        sql<string>`coalesce(sum(char_length(script)), 0)`.as('length'),
      ])
      .where('tenant_id', '=', tenantId)
      .executeTakeFirstOrThrow();
    return { count: Number(row.count), last: row.last ?? 0, length: Number(row.length) };
  }

  return {
    /** Behind all others where it has no order of its own. */
    async insert(tenantId: string, { id, name, script, order, isEnabled }: NewRule): Promise<Rule> {
      const { count, last, length } = await lockedTotals(tenantId);
      if (count >= MOST_RULES) throw ruleErrors.tooMany({ limit: MOST_RULES });
      refuseLongProgram(length + script.length);
      const rule = { id, name, script, order: order ?? Math.floor(last) + 1, isEnabled };
      await translatingConflicts(
        db
          .insertInto('rules')
          .values({ tenant_id: tenantId, id, name, script, position: rule.order, is_enabled: isEnabled })
          .execute(),
      );
      return rule;
    },

    async find(tenantId: string, id: string): Promise<Rule | undefined> {
      const row = await rows(tenantId, undefined).selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },

    /** Changes what is named; undefined when the rule is not there. */
    async update(tenantId: string, id: string, change: RuleChange): Promise<Rule | undefined> {
      if (change.script !== undefined) {
        // The lock comes before the row: in the other order two writers could wait for each other.
        const { length } = await lockedTotals(tenantId);
        const current = await this.find(tenantId, id);
        refuseLongProgram(length - (current?.script.length ?? 0) + change.script.length);
      }
      const row = await translatingConflicts(
        db
          .updateTable('rules')
          .set({
            ...(change.name !== undefined && { name: change.name }),
            ...(change.script !== undefined && { script: change.script }),
            ...(change.order !== undefined && { position: change.order }),
            ...(change.isEnabled !== undefined && { is_enabled: change.isEnabled }),
            updated_at: sql`now()`,
          })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst(),
      );
      return row && fromRow(row);
    },

    async remove(tenantId: string, id: string): Promise<void> {
      await db.deleteFrom('rules').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    },

    /** In the order in which they run. */
    async window(tenantId: string, isEnabled: boolean | undefined, offset: number, limit: number): Promise<Rule[]> {
      const found = await rows(tenantId, isEnabled)
        .selectAll()
        .orderBy('position')
        .offset(offset)
        .limit(limit)
        .execute();
      return found.map(fromRow);
    },

    async count(tenantId: string, isEnabled: boolean | undefined): Promise<number> {
      const row = await rows(tenantId, isEnabled)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}

function refuseLongProgram(length: number): void {
  if (length > LONGEST_PROGRAM) throw ruleErrors.programTooLong({ length, maximum: LONGEST_PROGRAM });
}

function fromRow(row: Selectable<RuleTable>): Rule {
  return { id: row.id, name: row.name, script: row.script, order: row.position, isEnabled: row.is_enabled };
}

async function translatingConflicts<Result>(statement: Promise<Result>): Promise<Result> {
  try {
    return await statement;
  } catch (cause) {
    const constraint = violatedConstraint(cause);
    if (constraint === 'rules_name_taken') throw ruleErrors.nameTaken({}, { cause });
    if (constraint === 'rules_order_taken') throw ruleErrors.orderTaken({}, { cause });
    throw cause;
  }
}
