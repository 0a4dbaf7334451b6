import { type Generated, type JSONColumnType, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { digest } from '../kit/digest.ts';
import type { Prompt } from '../oauth/authorize/login-prompts.ts';
import type { Additions } from '../pipeline/outcome.ts';

declare module '../db/database.ts' {
  interface Tables {
    login_transactions: LoginTransactionTable;
  }
}

interface LoginTransactionTable {
  tenant_id: string;
  state_hash: string;
  browser_hash: string;
  kind: Generated<LoginPurposeName>;
  client_id: string;
  request: JSONColumnType<Record<string, string>>;
  session_id: string | null;
  progress: JSONColumnType<LoginProgress, string | undefined, string>;
  created_at: Generated<Date>;
  expires_at: Date;
  continue_hash: string | null;
  suspended: JSONColumnType<object | null, string | null, string | null>;
  continued_at: Date | null;
}

/** What a login is for; login-purposes.ts knows each. */
export type LoginPurposeName = 'authorize' | 'device';

/** A login under way. */
export interface LoginTransaction {
  readonly kind: LoginPurposeName;
  readonly clientId: string;
  /** The parameters of the request that the login answers. */
  readonly request: Readonly<Record<string, string>>;
  /** The session of the user whom this login knows; set once they have proved who they are, or go on with a living session. */
  readonly sessionId: string | undefined;
  readonly progress: LoginProgress;
}

/** What has happened in a login besides proving who one is. */
export interface LoginProgress {
  /** When it was asked for: milliseconds of the epoch. None where a server of an earlier version began it. */
  readonly initiatedAt?: number;
  /** What the user was asked. */
  readonly prompts?: readonly Prompt[];
  /** Nobody logged in: a living session knew the user. */
  readonly bySession?: boolean;
  /** The user has answered this very login's question, which prompt=consent wants. */
  readonly hasConsented?: boolean;
  /** The account that the user chose and has to prove. */
  readonly loginHint?: string;
  /** What tenant code added before the user was asked for consent: it is not asked again. */
  readonly additions?: Additions;
}

export type NewLogin = Pick<LoginTransaction, 'kind' | 'clientId' | 'request'> &
  Partial<Pick<LoginTransaction, 'sessionId' | 'progress'>>;

export interface LoginKey {
  /** The unguessable `state` of the login pages. */
  readonly state: string;
  /** The cookie of the browser that began: another browser gets nowhere with the state (attack L6). */
  readonly browser: string;
}

export type LoginTransactionStore = ReturnType<typeof createLoginTransactionStore>;

export function createLoginTransactionStore(db: Database) {
  return {
    async insert(tenantId: string, key: LoginKey, transaction: NewLogin, expiresAt: Date): Promise<void> {
      await db
        .insertInto('login_transactions')
        .values({
          tenant_id: tenantId,
          state_hash: digest(key.state),
          browser_hash: digest(key.browser),
          kind: transaction.kind,
          client_id: transaction.clientId,
          request: JSON.stringify(transaction.request),
          session_id: transaction.sessionId ?? null,
          progress: JSON.stringify(transaction.progress ?? {}),
          expires_at: expiresAt,
        })
        .execute();
    },

    /** None while a request to /continue is judged: its login takes nothing else meanwhile. */
    async find(tenantId: string, key: LoginKey, now: Date): Promise<LoginTransaction | undefined> {
      const row = await db
        .selectFrom('login_transactions')
        .select(TRANSACTION_COLUMNS)
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(key.state))
        .where('browser_hash', '=', digest(key.browser))
        .where('expires_at', '>', now)
        .where(isFree)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** Notes who it is. False where the transaction is gone or another request was faster. */
    async complete(tenantId: string, state: string, sessionId: string, progress: LoginProgress = {}): Promise<boolean> {
      const result = await db
        .updateTable('login_transactions')
        .set({ session_id: sessionId, progress: withProgress(progress) })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .where('session_id', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** Notes what has happened. False where the transaction is gone. */
    async progress(tenantId: string, state: string, progress: LoginProgress): Promise<boolean> {
      const result = await db
        .updateTable('login_transactions')
        .set({ progress: withProgress(progress) })
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** Ends a transaction; of parallel callers one gets true. */
    async remove(tenantId: string, state: string): Promise<boolean> {
      const result = await db
        .deleteFrom('login_transactions')
        .where('tenant_id', '=', tenantId)
        .where('state_hash', '=', digest(state))
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

/**
 * No request to /continue goes on with it at the moment: what tenant code said to what the browser brought back is known, or
 * nothing came back yet.
 */
export const isFree: RawBuilder<boolean> = sql`(suspended is null or continued_at is null or progress ? 'additions')`;

export const TRANSACTION_COLUMNS = ['kind', 'client_id', 'request', 'session_id', 'progress'] as const;

export function fromRow(
  row: Pick<Selectable<LoginTransactionTable>, (typeof TRANSACTION_COLUMNS)[number]>,
): LoginTransaction {
  return {
    kind: row.kind,
    clientId: row.client_id,
    request: row.request,
    sessionId: row.session_id ?? undefined,
    progress: row.progress,
  };
}

export function withProgress(progress: LoginProgress) {
  return sql<string>`progress || ${JSON.stringify(progress)}::jsonb`;
}
