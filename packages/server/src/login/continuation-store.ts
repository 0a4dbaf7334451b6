import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { digest } from '../kit/digest.ts';
import type { Suspended } from '../pipeline/outcome.ts';
import { fromRow, type LoginKey, type LoginTransaction, TRANSACTION_COLUMNS } from './login-transaction-store.ts';

/** A login that comes back from another page. */
export interface ContinuedLogin extends LoginTransaction {
  readonly suspended: Suspended;
}

/** Longer than tenant code can take, queues of rules and of actions included: who asks later asks after a process that has died. */
const TURN_MILLISECONDS = 120_000;

export type ContinuationStore = ReturnType<typeof createContinuationStore>;

/** Logins that wait for their browser at /continue. Their rows are those of login transactions. */
export function createContinuationStore(db: Database) {
  return {
    /** The login waits under `continueState`, and under no earlier one. False where it is gone. */
    async suspend(
      tenantId: string,
      { state, continueState }: { readonly state: string; readonly continueState: string },
      suspended: Suspended,
      expiresAt: Date,
    ): Promise<boolean> {
      const result = await db
        .updateTable('login_transactions')
        .set({
          continue_hash: digest(continueState),
          suspended: JSON.stringify(suspended),
          continued_at: null,
          expires_at: expiresAt,
        })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /**
     * The login that this browser comes back to, which has this state from now on. Of parallel requests one gets it, and
     * only that one: what comes with the others would be as many guesses. The row ends with the answer.
     */
    async claim(tenantId: string, { state, browser }: LoginKey, now: Date): Promise<ContinuedLogin | undefined> {
      const row = await db
        .updateTable('login_transactions')
        .set({ state_hash: digest(state), continued_at: now })
        .where('tenant_id', '=', tenantId)
        .where('continue_hash', '=', digest(state))
        .where('browser_hash', '=', digest(browser))
        .where('expires_at', '>', now)
        .where((where) =>
          where.or([
            where('continued_at', 'is', null),
            where('continued_at', '<=', new Date(now.getTime() - TURN_MILLISECONDS)),
          ]),
        )
        .returning([...TRANSACTION_COLUMNS, 'suspended'])
        .executeTakeFirst();
      return row?.suspended ? { ...fromRow(row), suspended: row.suspended } : undefined;
    },

    /** The user whom it knew is logged out by now: it begins again with the question who they are. */
    async restart(tenantId: string, state: string): Promise<boolean> {
      const result = await db
        .updateTable('login_transactions')
        .set({
          session_id: null,
          continue_hash: null,
          suspended: null,
          progress: sql<string>`progress - 'bySession' - 'hasConsented' - 'additions'`,
        })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}
