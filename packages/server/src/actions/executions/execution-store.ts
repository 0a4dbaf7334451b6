import type { JSONColumnType } from 'kysely';
import type { Database } from '../../db/database.ts';
import { type ActionExecution, boundedResults, type ExecutionResult } from './execution.ts';

declare module '../../db/database.ts' {
  interface Tables {
    action_executions: ExecutionTable;
  }
}

interface ExecutionTable {
  tenant_id: string;
  id: string;
  trigger_id: string;
  status: ActionExecution['status'];
  results: JSONColumnType<readonly ExecutionResult[]>;
  created_at: Date;
  updated_at: Date;
  expires_at: Date;
}

export type ExecutionStore = ReturnType<typeof createExecutionStore>;

const KEPT_MILLISECONDS = 10 * 86_400_000;

export function createExecutionStore(db: Database) {
  return {
    /** One that was suspended is kept anew when it has gone on. */
    async keep(tenantId: string, execution: ActionExecution): Promise<void> {
      const { id, triggerId, status, createdAt, updatedAt } = execution;
      const results = JSON.stringify(boundedResults(execution.results));
      await db
        .insertInto('action_executions')
        .values({
          tenant_id: tenantId,
          id,
          trigger_id: triggerId,
          status,
          results,
          created_at: createdAt,
          updated_at: updatedAt,
          expires_at: new Date(createdAt.getTime() + KEPT_MILLISECONDS),
        })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'id']).doUpdateSet({ status, results, updated_at: updatedAt }),
        )
        .execute();
    },

    async find(tenantId: string, id: string, now: Date): Promise<ActionExecution | undefined> {
      const row = await db
        .selectFrom('action_executions')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return (
        row && {
          id: row.id,
          triggerId: row.trigger_id,
          status: row.status,
          results: row.results,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
        }
      );
    },
  };
}
