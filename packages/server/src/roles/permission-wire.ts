import type { ManagementCall } from '../management/call.ts';
import { MANAGEMENT_IDENTIFIER } from '../resource-servers/resource-server.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { MOST_PERMISSIONS, type Permission, type PermissionName, type PermissionSource, roleErrors } from './role.ts';

/** Whether this is one of the names that the Management API goes by: one for each of the tenant's origins. */
export type IsManagementAudience = (tenant: Tenant, audience: string) => boolean;

/** `permissions` of a body, each once. */
export function permissionsOf(
  call: Pick<ManagementCall<unknown>, 'body' | 'tenant'>,
  isManagementAudience: IsManagementAudience,
): PermissionName[] {
  const asked = listOf(call.body.permissions, 'permissions', MOST_PERMISSIONS);
  const names = new Map<string, PermissionName>();
  for (const item of asked) {
    const { resource_server_identifier: api, permission_name: permission } = Object(item);
    if (typeof api !== 'string' || typeof permission !== 'string') {
      throw roleErrors.invalid({ reason: 'A permission has resource_server_identifier and permission_name' });
    }
    const resourceServerIdentifier = isManagementAudience(call.tenant, api) ? MANAGEMENT_IDENTIFIER : api;
    names.set(`${resourceServerIdentifier}\n${permission}`, { resourceServerIdentifier, permission });
  }
  return [...names.values()];
}

export function permissionToWire(permission: Permission, origin: string): Record<string, unknown> {
  return {
    permission_name: permission.permission,
    description: permission.description ?? '',
    resource_server_name: permission.resourceServerName,
    resource_server_identifier: permission.isSystem ? `${origin}/api/v2/` : permission.resourceServerIdentifier,
  };
}

export function sourceToWire({ type, id, name }: PermissionSource): Record<string, unknown> {
  return { source_id: id, source_name: name, source_type: type };
}

/** A list of ids in a body, each once, bounded. */
export function idsOf(body: Readonly<Record<string, unknown>>, property: string, most: number): string[] {
  return [...new Set(listOf(body[property], property, most).map(String))];
}

function listOf(value: unknown, property: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw roleErrors.invalid({ reason: `Missing required property: ${property}` });
  if (value.length > most) throw roleErrors.invalid({ reason: `Array is too long (${value.length}), maximum ${most}` });
  return value;
}
