import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { MOST_PERMISSIONS, type Permission, type PermissionName, type PermissionSource, roleErrors } from './role.ts';

export type PermissionStore = ReturnType<typeof createPermissionStore>;

/** Who holds a permission: a role, or a user directly. */
export type Holder = { readonly roleId: string } | { readonly userId: string };

/** A permission whose API is known. */
export interface ResolvedPermission {
  readonly resourceServerId: string;
  readonly permission: string;
}

export function createPermissionStore(db: Database) {
  return {
    /** Finds the APIs of named permissions, and refuses permissions that an API does not have. */
    async resolve(tenantId: string, names: readonly PermissionName[]): Promise<ResolvedPermission[]> {
      const { rows } = await sql<{ identifier: string; permission: string; id: string | null; exists: boolean }>`
        select asked.identifier, asked.permission, rs.id,
          rs.is_system or rs.body->'scopes' @> jsonb_build_array(jsonb_build_object('value', asked.permission)) as exists
        from unnest(${names.map((name) => name.resourceServerIdentifier)}::text[], ${names.map((name) => name.permission)}::text[])
          asked(identifier, permission)
        left join resource_servers rs on rs.tenant_id = ${tenantId} and rs.identifier = asked.identifier`.execute(db);
      return rows.map(({ identifier, permission, id, exists }) => {
        if (id === null) throw roleErrors.unknownApi({ identifier: identifier.slice(0, 100) });
        if (!exists) throw roleErrors.unknownPermission({ permission: permission.slice(0, 100), identifier });
        return { resourceServerId: id, permission };
      });
    },

    /** Adds what is missing. The holder's row is locked, so that the limit holds; must run in a transaction. */
    async add(tenantId: string, holder: Holder, permissions: readonly ResolvedPermission[]): Promise<void> {
      const { table, owner, id } = tableOf(holder);
      await sql`select 1 from ${sql.table('roleId' in holder ? 'roles' : 'users')} h
        where h.tenant_id = ${tenantId} and h.${sql.ref('roleId' in holder ? 'id' : 'user_id')} = ${id} for no key update of h`.execute(
        db,
      );
      await sql`
        insert into ${table} (tenant_id, ${owner}, resource_server_id, permission)
        select ${tenantId}, ${id}, new.api, new.permission
        from unnest(${permissions.map((one) => one.resourceServerId)}::text[], ${permissions.map((one) => one.permission)}::text[])
          with ordinality new(api, permission, position)
        order by new.position on conflict do nothing`.execute(db);
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from ${table} where tenant_id = ${tenantId} and ${owner} = ${id}`.execute(db);
      if (Number(rows[0]?.total) > MOST_PERMISSIONS) {
        throw roleErrors.tooMany({ limit: MOST_PERMISSIONS, things: 'permissions' });
      }
    },

    async remove(tenantId: string, holder: Holder, names: readonly PermissionName[]): Promise<void> {
      const { table, owner, id } = tableOf(holder);
      await sql`
        delete from ${table} p
        using unnest(${names.map((name) => name.resourceServerIdentifier)}::text[], ${names.map((name) => name.permission)}::text[])
          gone(identifier, permission), resource_servers rs
        where p.tenant_id = ${tenantId} and p.${owner} = ${id} and p.permission = gone.permission
          and rs.tenant_id = p.tenant_id and rs.id = p.resource_server_id and rs.identifier = gone.identifier`.execute(
        db,
      );
    },

    async ofRole(tenantId: string, roleId: string, offset: number, limit: number): Promise<Permission[]> {
      const { rows } = await sql<PermissionRow>`
        select ${permissionColumns} from role_permissions p ${withApi}
        where p.tenant_id = ${tenantId} and p.role_id = ${roleId} and ${stillExists} order by p.seq
        offset ${offset} limit ${limit}`.execute(db);
      return rows.map(fromRow);
    },

    async countOfRole(tenantId: string, roleId: string): Promise<number> {
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from role_permissions p ${withApi}
        where p.tenant_id = ${tenantId} and p.role_id = ${roleId} and ${stillExists}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },

    /** A user's permissions, each once, with the ways by which the user has it. */
    async ofUser(
      tenantId: string,
      userId: string,
      offset: number,
      limit: number,
    ): Promise<(Permission & { readonly sources: readonly PermissionSource[] })[]> {
      const { rows } = await sql<PermissionRow & { sources: PermissionSource[] }>`
        select ${permissionColumns}, p.sources from (
          select tenant_id, resource_server_id, permission, jsonb_agg(jsonb_build_object('type', type, 'id', id, 'name', name) order by type, name) as sources
          from (${heldByUser(tenantId, userId)}) held group by tenant_id, resource_server_id, permission
        ) p ${withApi} where ${stillExists} order by rs.seq, p.permission offset ${offset} limit ${limit}`.execute(db);
      return rows.map((row) => ({ ...fromRow(row), sources: row.sources }));
    },

    async countOfUser(tenantId: string, userId: string): Promise<number> {
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from (
          select distinct tenant_id, resource_server_id, permission from (${heldByUser(tenantId, userId)}) held
        ) p ${withApi} where ${stillExists}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },

    /**
     * What a user may do at one API, for tokens: own permissions and those of roles. It may name a permission that the API
     * has lost since; the caller holds the API's scopes and leaves it out.
     */
    async permissionsAt(tenantId: string, userId: string, resourceServerId: string): Promise<string[]> {
      const { rows } = await sql<{ permission: string }>`
        select permission from user_permissions
        where tenant_id = ${tenantId} and user_id = ${userId} and resource_server_id = ${resourceServerId}
        union
        select rp.permission from user_roles ur join role_permissions rp on rp.tenant_id = ur.tenant_id and rp.role_id = ur.role_id
        where ur.tenant_id = ${tenantId} and ur.user_id = ${userId} and rp.resource_server_id = ${resourceServerId}
        order by permission`.execute(db);
      return rows.map((row) => row.permission);
    },
  };
}

interface PermissionRow {
  permission: string;
  identifier: string;
  is_system: boolean;
  name: string;
  description: string | null;
}

const permissionColumns: RawBuilder<PermissionRow> = sql`p.permission, rs.identifier, rs.is_system, rs.name, scope.description`;

const withApi = sql`
  join resource_servers rs on rs.tenant_id = p.tenant_id and rs.id = p.resource_server_id
  left join lateral (
    select true as known, s->>'description' as description from jsonb_array_elements(rs.body->'scopes') s
    where s->>'value' = p.permission limit 1
  ) scope on true`;

/** An API's scopes are replaced whole: what it lost is nobody's permission any more. The system API's are the catalogue's. */
const stillExists = sql<boolean>`(scope.known or rs.is_system)`;

function heldByUser(tenantId: string, userId: string) {
  return sql`
    select tenant_id, resource_server_id, permission, 'DIRECT' as type, '' as id, '' as name
    from user_permissions where tenant_id = ${tenantId} and user_id = ${userId}
    union all
    select rp.tenant_id, rp.resource_server_id, rp.permission, 'ROLE', r.id, r.name
    from user_roles ur join role_permissions rp on rp.tenant_id = ur.tenant_id and rp.role_id = ur.role_id
    join roles r on r.tenant_id = ur.tenant_id and r.id = ur.role_id
    where ur.tenant_id = ${tenantId} and ur.user_id = ${userId}`;
}

function tableOf(holder: Holder) {
  return 'roleId' in holder
    ? { table: sql.table('role_permissions'), owner: sql.ref('role_id'), id: holder.roleId }
    : { table: sql.table('user_permissions'), owner: sql.ref('user_id'), id: holder.userId };
}

function fromRow(row: PermissionRow): Permission {
  return {
    resourceServerIdentifier: row.identifier,
    permission: row.permission,
    isSystem: row.is_system,
    resourceServerName: row.name,
    description: row.description ?? undefined,
  };
}
