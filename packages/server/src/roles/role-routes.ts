import { prefixedId } from '../kit/ids.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import { ordinaryUser } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import type { MemberStore } from './member-store.ts';
import type { PermissionStore } from './permission-store.ts';
import { type IsManagementAudience, idsOf, permissionsOf, permissionToWire } from './permission-wire.ts';
import { type Role, roleErrors } from './role.ts';
import type { RoleStore } from './role-store.ts';

export interface RoleStores {
  readonly roles: RoleStore;
  readonly roleMembers: MemberStore;
  readonly permissions: PermissionStore;
  readonly users: UserStore;
}

const MOST_USERS_A_CALL = 100;
const LONGEST_NAME = 1_000;

/** /roles of the Management API. */
export function roleRoutes<Stores extends RoleStores>(
  management: Management<Stores>,
  { isManagementAudience }: { readonly isManagementAudience: IsManagementAudience },
): void {
  management.route('GET /roles', async (call) => {
    const { name_filter: filter, type, owner_id: owner } = call.query;
    const nameContains = filter === undefined ? undefined : String(filter);
    const isNone = type === 'organization' || owner !== undefined;
    return call.list('roles', {
      page: async (offset, limit) =>
        isNone ? [] : call.stores.roles.window(tenantOf(call), nameContains, offset, limit),
      count: async () => (isNone ? 0 : call.stores.roles.count(tenantOf(call), nameContains)),
      toWire: roleToWire,
    });
  });

  management.route('POST /roles', async (call) => {
    const { name, description, type, owner_id: owner } = call.body;
    if (type === 'organization' || owner !== undefined) throw roleErrors.notSupported();
    const role: Role = {
      id: prefixedId('rol'),
      name: checkedText('name', name) ?? '',
      description: checkedText('description', description),
    };
    if (role.name === '') throw roleErrors.invalid({ reason: 'Missing required property: name' });
    return call.commit(async (stores) => {
      await stores.roles.insert(tenantOf(call), role);
      return roleToWire(role);
    });
  });

  management.route('GET /roles/{id}', async (call) => roleToWire(await existing(call.stores, call)));

  management.route('PATCH /roles/{id}', async (call) => {
    const name = checkedText('name', call.body.name);
    if (name === '') throw roleErrors.invalid({ reason: 'String is too short (0 chars), minimum 1' });
    const change = {
      ...(name === undefined ? {} : { name }),
      ...('description' in call.body ? { description: checkedText('description', call.body.description) } : {}),
    };
    return call.commit(async (stores) => {
      const role = await stores.roles.update(tenantOf(call), idOf(call), change);
      if (!role) throw roleErrors.notFound();
      return roleToWire(role);
    });
  });

  management.route('DELETE /roles/{id}', async (call) =>
    call.commit(async (stores) => {
      if (!(await stores.roles.remove(tenantOf(call), idOf(call)))) throw roleErrors.notFound();
      return {};
    }),
  );

  management.route('GET /roles/{id}/permissions', async (call) => {
    const { id } = await existing(call.stores, call);
    const { permissions } = call.stores;
    return call.list('permissions', {
      page: (offset, limit) => permissions.ofRole(tenantOf(call), id, offset, limit),
      count: () => permissions.countOfRole(tenantOf(call), id),
      toWire: (permission) => permissionToWire(permission, call.origin),
    });
  });

  management.route('POST /roles/{id}/permissions', async (call) => {
    const names = permissionsOf(call, isManagementAudience);
    return call.commit(async (stores) => {
      const { id } = await existing(stores, call);
      const resolved = await stores.permissions.resolve(tenantOf(call), names);
      await stores.permissions.add(tenantOf(call), { roleId: id }, resolved);
      return {};
    });
  });

  management.route('DELETE /roles/{id}/permissions', async (call) => {
    const names = permissionsOf(call, isManagementAudience);
    return call.commit(async (stores) => {
      const { id } = await existing(stores, call);
      await stores.permissions.remove(tenantOf(call), { roleId: id }, names);
    });
  });

  management.route('GET /roles/{id}/users', async (call) => {
    const { id } = await existing(call.stores, call);
    const { roleMembers } = call.stores;
    return call.list('users', {
      page: (offset, limit) => roleMembers.window(tenantOf(call), id, offset, limit),
      count: () => roleMembers.count(tenantOf(call), id),
      after: (cursor, limit) => roleMembers.after(tenantOf(call), id, cursor ?? '0', limit),
      cursorOf: ({ seq }) => seq,
      toWire: ({ userId, email, name, picture }) => ({ user_id: userId, email, name, picture }),
    });
  });

  management.route('POST /roles/{id}/users', async (call) => {
    const userIds = idsOf(call.body, 'users', MOST_USERS_A_CALL);
    return call.commit(async (stores) => {
      const { id } = await existing(stores, call);
      for (const userId of userIds) ordinaryUser(await stores.users.find(tenantOf(call), userId));
      await stores.roleMembers.assign(tenantOf(call), userIds, [id]);
      return {};
    });
  });
}

export function roleToWire({ id, name, description }: Role): Record<string, unknown> {
  return { id, name, description: description ?? null };
}

type Call = Pick<ManagementCall<unknown>, 'tenant' | 'params'>;

async function existing(stores: Pick<RoleStores, 'roles'>, call: Call): Promise<Role> {
  const role = await stores.roles.find(tenantOf(call), idOf(call));
  if (!role) throw roleErrors.notFound();
  return role;
}

function tenantOf({ tenant }: Pick<ManagementCall<unknown>, 'tenant'>): string {
  return tenant.tenantId;
}

function idOf({ params }: Pick<ManagementCall<unknown>, 'params'>): string {
  return params.id ?? '';
}

function checkedText(property: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.length > LONGEST_NAME) {
    throw roleErrors.invalid({
      reason: `String is too long (${value.length} chars), maximum ${LONGEST_NAME}: ${property}`,
    });
  }
  return value;
}
