import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { runWithin } from '../db/run-within.ts';
import { type User, userErrors } from './user.ts';
import { fromRow, isOrdinary, type UserRow, userColumns } from './user-rows.ts';

/** Which users, in which order: compiled from `q`, `connection` and `sort` by user-search.ts. */
export interface UserSearch {
  readonly condition: RawBuilder<boolean>;
  readonly order: RawBuilder<unknown>;
  /** A plain list is never given up, however many users there are. */
  readonly isPlain: boolean;
}

/** A search that takes longer is given up, as Auth0 does. */
const LONGEST_SEARCH_MS = 2_000;
const MOST_BY_EMAIL = 1_000;
const MOST_ADMINISTRATORS = 1_000;

export type UserListStore = ReturnType<typeof createUserListStore>;

/** Lists and searches of users as the Management API sees them: without the administrators. */
export function createUserListStore(db: Database) {
  return {
    async window(
      tenantId: string,
      { condition, order, isPlain }: UserSearch,
      offset: number,
      limit: number,
    ): Promise<User[]> {
      const rows = await searching(db, isPlain, (search) =>
        sql<UserRow>`select ${userColumns} from users u where u.tenant_id = ${tenantId} and ${isOrdinary} and ${condition}
          order by ${order} offset ${offset} limit ${limit}`.execute(search),
      );
      return rows.map(fromRow);
    },

    async count(tenantId: string, { condition, isPlain }: UserSearch): Promise<number> {
      const rows = await searching(db, isPlain, (search) =>
        sql<{ total: string }>`
          select count(*) as total from users u where u.tenant_id = ${tenantId} and ${isOrdinary} and ${condition}`.execute(
          search,
        ),
      );
      return Number(rows[0]?.total ?? 0);
    },

    /** Those whom the Management API does not know, for the operator's commands. */
    async administrators(tenantId: string): Promise<User[]> {
      const { rows } = await sql<UserRow>`
        select ${userColumns} from users u where u.tenant_id = ${tenantId} and u.is_system
        order by u.seq limit ${MOST_ADMINISTRATORS}`.execute(db);
      return rows.map(fromRow);
    },

    /** `email` in its normal form. */
    async byEmail(tenantId: string, email: string): Promise<User[]> {
      const { rows } = await sql<UserRow>`
        select ${userColumns} from users u where u.tenant_id = ${tenantId} and lower(u.email) = ${email} and ${isOrdinary}
        order by u.seq limit ${MOST_BY_EMAIL}`.execute(db);
      return rows.map(fromRow);
    },
  };
}

async function searching<Row>(
  db: Database,
  isPlain: boolean,
  run: (db: Database) => Promise<{ rows: Row[] }>,
): Promise<Row[]> {
  if (isPlain) return (await run(db)).rows;
  const { rows } = await runWithin(db, LONGEST_SEARCH_MS, run, (cause) => userErrors.searchTimeout({}, { cause }));
  return rows;
}
