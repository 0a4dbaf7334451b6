import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { digest } from '../kit/digest.ts';
import type { Suspended } from '../pipeline/outcome.ts';
import { readSuspended, storedSuspended } from '../pipeline/stored-suspended.ts';
import {
  fromRow,
  isFree,
  type LoginKey,
  type LoginProgress,
  type LoginTransaction,
  TRANSACTION_COLUMNS,
  withProgress,
} from './login-transaction-store.ts';

/** A login that comes back from another page. */
export interface ContinuedLogin extends LoginTransaction {
  readonly suspended: Suspended;
}

/** When a login that waits for its browser ends. */
export interface Waiting {
  readonly until: Date;
  /** It was waiting already, and its page was loaded again: it ends when it would have ended. */
  readonly isReload: boolean;
}

/** Longer than tenant code can take, queues of rules and of actions included: who asks later asks after a process that has died. */
const TURN_MILLISECONDS = 120_000;

export type ContinuationStore = ReturnType<typeof createContinuationStore>;

/** Logins that wait for their browser at /continue. Their rows are those of login transactions. */
export function createContinuationStore(db: Database) {
  return {
    /** The login waits under `continueState`, and under no earlier one. False where it is gone, or judged at the moment. */
    async suspend(
      tenantId: string,
      {
        state,
        continueState,
        progress,
      }: { readonly state: string; readonly continueState: string; readonly progress: LoginProgress },
      suspended: Suspended,
      { until, isReload }: Waiting,
    ): Promise<boolean> {
      const result = await db
        .updateTable('login_transactions')
        .set({
          continue_hash: digest(continueState),
          suspended: storedSuspended(suspended),
          progress: withProgress(progress),
          continued_at: null,
          expires_at: isReload ? sql<Date>`case when continue_hash is null then ${until} else expires_at end` : until,
        })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .$if(isReload, (update) => update.where(isFree))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /**
     * The login that this browser comes back to, which has this state from now on. Of parallel requests one gets it, and
     * only that one: what comes with the others would be as many guesses. The row ends with the answer. Where another version
     * of the server is to go on with it, it goes on waiting.
     */
    async claim(
      tenantId: string,
      { state, browser }: LoginKey,
      now: Date,
    ): Promise<ContinuedLogin | 'otherVersion' | undefined> {
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
      if (!row?.suspended) return undefined;
      const suspended = readSuspended(row.suspended);
      if (suspended) return { ...fromRow(row), suspended };
      await db
        .updateTable('login_transactions')
        .set({ continued_at: null })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .execute();
      return 'otherVersion';
    },

    /** The user whom it knew is logged out by now: it begins again with the question who they are. */
    async restart(tenantId: string, state: string): Promise<boolean> {
      const result = await db
        .updateTable('login_transactions')
        .set({
          session_id: null,
          continue_hash: null,
          suspended: null,
          progress: sql<string>`progress - 'bySession' - 'hasConsented' - 'additions' - 'prompts'`,
        })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}
