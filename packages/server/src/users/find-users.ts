import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { createGatherer } from '../db/gather.ts';
import type { User } from './user.ts';
import { fromRow, type UserRow, userColumns } from './user-rows.ts';

/** Finds users by id, those who are asked for at once in one statement. For the pool, not for a transaction. */
export function createUserFinder(db: Database): (tenantId: string, userId: string) => Promise<User | undefined> {
  const find = createGatherer<{ tenantId: string; userId: string }, User>({
    textOf: ({ tenantId, userId }) => `${tenantId} ${userId}`,
    async ask(keys) {
      const { rows } = await sql<UserRow & { tenant_id: string }>`
        select u.tenant_id, ${userColumns}
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ userId }) => userId)}::text[]) asked(tenant_id, user_id)
          join users u on u.tenant_id = asked.tenant_id and u.user_id = asked.user_id`.execute(db);
      return new Map(rows.map((row) => [`${row.tenant_id} ${row.user_id}`, fromRow(row)]));
    },
  });
  return (tenantId, userId) => find({ tenantId, userId });
}
