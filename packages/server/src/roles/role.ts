import { defineErrors } from '../kit/errors.ts';

/** A bundle of permissions that users hold. */
export interface Role {
  /** `rol_` and 16 characters. */
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
}

/** A scope of an API, named by the identifier under which the API is stored. */
export interface PermissionName {
  readonly resourceServerIdentifier: string;
  readonly permission: string;
}

/** A permission that a role or a user holds, with the words that its API has for it. */
export interface Permission extends PermissionName {
  /** The Management API: its identifier depends on the origin, so the edge fills it in. */
  readonly isSystem: boolean;
  readonly resourceServerName: string;
  readonly description: string | undefined;
}

/** How a user came to a permission: by assignment, or through a role. */
export interface PermissionSource {
  readonly type: 'DIRECT' | 'ROLE';
  readonly id: string;
  readonly name: string;
}

export const roleErrors = defineErrors({
  notFound: { status: 404, message: 'The role does not exist.' },
  nameTaken: { status: 409, code: 'role_conflict', message: 'A role with the same name already exists.' },
  notSupported: {
    status: 400,
    code: 'operation_not_supported',
    message: 'Roles that belong to an organization are not supported yet.',
  },
  unknownApi: {
    status: 404,
    code: 'inexistent_resource_server',
    message: 'The resource server {identifier} does not exist.',
  },
  unknownPermission: {
    status: 400,
    code: 'invalid_body',
    message: 'The permission {permission} does not exist in the resource server {identifier}.',
  },
  tooMany: { status: 403, code: 'too_many_entities', message: 'The limit of {limit} {things} was reached.' },
  invalid: { status: 400, code: 'invalid_body', message: "Payload validation error: '{reason}'." },
});

/** Auth0's limits of entities. */
export const MOST_ROLES = 1_000;
export const MOST_ROLES_OF_USER = 50;
export const MOST_PERMISSIONS = 1_000;
