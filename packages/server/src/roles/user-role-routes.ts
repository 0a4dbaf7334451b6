import type { Management, ManagementCall } from '../management/call.ts';
import { ordinaryUser, type User } from '../users/user.ts';
import { type IsManagementAudience, idsOf, permissionsOf, permissionToWire, sourceToWire } from './permission-wire.ts';
import { MOST_ROLES_OF_USER } from './role.ts';
import { type RoleStores, roleToWire } from './role-routes.ts';

/** Roles and permissions of one user: /users/{id}/roles and /users/{id}/permissions. */
export function userRoleRoutes<Stores extends RoleStores>(
  management: Management<Stores>,
  { isManagementAudience }: { readonly isManagementAudience: IsManagementAudience },
): void {
  management.route('GET /users/{id}/roles', async (call) => {
    const { userId } = await existing(call.stores, call);
    const { tenantId } = call.tenant;
    const { roleMembers } = call.stores;
    return call.list('roles', {
      page: (offset, limit) => roleMembers.rolesOf(tenantId, userId, offset, limit),
      count: () => roleMembers.countRolesOf(tenantId, userId),
      toWire: roleToWire,
    });
  });

  management.route('POST /users/{id}/roles', async (call) => {
    const roleIds = idsOf(call.body, 'roles', MOST_ROLES_OF_USER);
    return call.commit(async (stores) => {
      const { userId } = await existing(stores, call);
      await stores.roleMembers.assign(call.tenant.tenantId, [userId], roleIds);
    });
  });

  management.route('DELETE /users/{id}/roles', async (call) => {
    const roleIds = idsOf(call.body, 'roles', MOST_ROLES_OF_USER);
    return call.commit(async (stores) => {
      const { userId } = await existing(stores, call);
      await stores.roleMembers.unassign(call.tenant.tenantId, userId, roleIds);
    });
  });

  management.route('GET /users/{id}/permissions', async (call) => {
    const { userId } = await existing(call.stores, call);
    const { tenantId } = call.tenant;
    const { permissions } = call.stores;
    return call.list('permissions', {
      page: (offset, limit) => permissions.ofUser(tenantId, userId, offset, limit),
      count: () => permissions.countOfUser(tenantId, userId),
      toWire: (permission) => ({
        ...permissionToWire(permission, call.origin),
        sources: permission.sources.map(sourceToWire),
      }),
    });
  });

  management.route('POST /users/{id}/permissions', async (call) => {
    const names = permissionsOf(call, isManagementAudience);
    return call.commit(async (stores) => {
      const { userId } = await existing(stores, call);
      const resolved = await stores.permissions.resolve(call.tenant.tenantId, names);
      await stores.permissions.add(call.tenant.tenantId, { userId }, resolved);
      return {};
    });
  });

  management.route('DELETE /users/{id}/permissions', async (call) => {
    const names = permissionsOf(call, isManagementAudience);
    return call.commit(async (stores) => {
      const { userId } = await existing(stores, call);
      await stores.permissions.remove(call.tenant.tenantId, { userId }, names);
    });
  });
}

async function existing(
  stores: Pick<RoleStores, 'users'>,
  call: Pick<ManagementCall<unknown>, 'tenant' | 'params'>,
): Promise<User> {
  return ordinaryUser(await stores.users.find(call.tenant.tenantId, call.params.id ?? ''));
}
