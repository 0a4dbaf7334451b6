import { type Generated, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { createGatherer } from '../db/gather.ts';
import { userErrors } from '../users/user.ts';
import { MOST_ROLES_OF_USER, type Role, roleErrors } from './role.ts';
import { fromRow } from './role-store.ts';

declare module '../db/database.ts' {
  interface Tables {
    user_roles: MemberTable;
  }
}

interface MemberTable {
  tenant_id: string;
  user_id: string;
  role_id: string;
  seq: Generated<string>;
}

/** A user as a role's list shows it. */
export interface Member {
  readonly userId: string;
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly picture: string | undefined;
  readonly seq: string;
}

export type MemberStore = ReturnType<typeof createMemberStore>;
export type RoleNames = MemberStore['roleNamesOf'];

/** Who holds which role. */
export function createMemberStore(db: Database) {
  const ofRole = (tenantId: string, roleId: string) =>
    db
      .selectFrom('user_roles as m')
      .innerJoin('users as u', (join) =>
        join.onRef('u.tenant_id', '=', 'm.tenant_id').onRef('u.user_id', '=', 'm.user_id'),
      )
      .select(['u.user_id', 'u.email', 'u.profile', 'm.seq'])
      .where('m.tenant_id', '=', tenantId)
      .where('m.role_id', '=', roleId);

  return {
    /** Each of these users gets each of these roles, or none gets any. Must run in a transaction. */
    async assign(tenantId: string, userIds: readonly string[], roleIds: readonly string[]): Promise<void> {
      await lockUsers(db, tenantId, userIds);
      try {
        await sql`
          insert into user_roles (tenant_id, user_id, role_id)
          select ${tenantId}, u.user_id, r.role_id from unnest(${[...userIds]}::text[]) u(user_id), unnest(${[...roleIds]}::text[]) r(role_id)
          order by u.user_id, r.role_id on conflict do nothing`.execute(db);
      } catch (cause) {
        if (violatedConstraint(cause) === 'user_roles_tenant_id_role_id_fkey') throw roleErrors.notFound({}, { cause });
        throw cause;
      }
      const { rows } = await sql`
        select user_id from user_roles where tenant_id = ${tenantId} and user_id = any(${[...userIds]}::text[])
        group by user_id having count(*) > ${MOST_ROLES_OF_USER} limit 1`.execute(db);
      if (rows.length > 0) throw roleErrors.tooMany({ limit: MOST_ROLES_OF_USER, things: 'roles for this user' });
    },

    async unassign(tenantId: string, userId: string, roleIds: readonly string[]): Promise<void> {
      await sql`
        delete from user_roles where tenant_id = ${tenantId} and user_id = ${userId} and role_id = any(${[...roleIds]}::text[])`.execute(
        db,
      );
    },

    async rolesOf(tenantId: string, userId: string, offset: number, limit: number): Promise<Role[]> {
      const rows = await db
        .selectFrom('user_roles as m')
        .innerJoin('roles as r', (join) =>
          join.onRef('r.tenant_id', '=', 'm.tenant_id').onRef('r.id', '=', 'm.role_id'),
        )
        .select(['r.id', 'r.name', 'r.description'])
        .where('m.tenant_id', '=', tenantId)
        .where('m.user_id', '=', userId)
        .orderBy('m.seq')
        .offset(offset)
        .limit(limit)
        .execute();
      return rows.map(fromRow);
    },

    async roleNamesOf(tenantId: string, userId: string): Promise<string[]> {
      const { rows } = await sql<{ name: string }>`
        select role.name from user_roles member join roles role on role.tenant_id = member.tenant_id and role.id = member.role_id
        where member.tenant_id = ${tenantId} and member.user_id = ${userId} order by member.seq`.execute(db);
      return rows.map(({ name }) => name);
    },

    async countRolesOf(tenantId: string, userId: string): Promise<number> {
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from user_roles where tenant_id = ${tenantId} and user_id = ${userId}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },

    async window(tenantId: string, roleId: string, offset: number, limit: number): Promise<Member[]> {
      const rows = await ofRole(tenantId, roleId).orderBy('m.seq').offset(offset).limit(limit).execute();
      return rows.map(toMember);
    },

    async after(tenantId: string, roleId: string, seq: string, limit: number): Promise<Member[]> {
      const rows = await ofRole(tenantId, roleId).where('m.seq', '>', seq).orderBy('m.seq').limit(limit).execute();
      return rows.map(toMember);
    },

    async count(tenantId: string, roleId: string): Promise<number> {
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from user_roles where tenant_id = ${tenantId} and role_id = ${roleId}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },
  };
}

/** The names of the roles of those who come at once, in one statement. For the pool, not for a transaction. */
export function createRoleNamesFinder(db: Database): RoleNames {
  const find = createGatherer<{ tenantId: string; userId: string }, string[]>({
    textOf: ({ tenantId, userId }) => `${tenantId} ${userId}`,
    async ask(keys) {
      const { rows } = await sql<{ tenant_id: string; user_id: string; names: string[] }>`
        select member.tenant_id, member.user_id, array_agg(role.name order by member.seq) as names
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ userId }) => userId)}::text[]) asked(tenant_id, id)
          join user_roles member on member.tenant_id = asked.tenant_id and member.user_id = asked.id
          join roles role on role.tenant_id = member.tenant_id and role.id = member.role_id
        group by member.tenant_id, member.user_id`.execute(db);
      return new Map(rows.map((row) => [`${row.tenant_id} ${row.user_id}`, row.names]));
    },
  });
  return async (tenantId, userId) => (await find({ tenantId, userId })) ?? [];
}

/** Locks the users in one order, so that limits hold and no two callers wait for each other in a circle. */
export async function lockUsers(db: Database, tenantId: string, userIds: readonly string[]): Promise<void> {
  const wanted = [...new Set(userIds)];
  const { rows } = await sql`
    select u.user_id from users u where u.tenant_id = ${tenantId} and u.user_id = any(${wanted}::text[])
    order by u.user_id for no key update of u`.execute(db);
  if (rows.length < wanted.length) throw userErrors.notFound();
}

function toMember(row: {
  user_id: string;
  email: string | null;
  profile: Readonly<Record<string, unknown>>;
  seq: string;
}): Member {
  const { name, picture } = row.profile;
  return {
    userId: row.user_id,
    email: row.email ?? undefined,
    name: typeof name === 'string' ? name : undefined,
    picture: typeof picture === 'string' ? picture : undefined,
    seq: row.seq,
  };
}
