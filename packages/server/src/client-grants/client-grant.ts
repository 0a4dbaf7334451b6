import { defineErrors } from '../kit/errors.ts';
import type { Json } from '../kit/json-values.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';

export type SubjectType = 'client' | 'user';

/** What a client may ask for of an API: by itself (`client`), or for a user who logs in to it (`user`). */
export interface ClientGrant {
  readonly id: string;
  readonly clientId: string;
  readonly resourceServerId: string;
  /** The API's identifier; MANAGEMENT_IDENTIFIER for the system API. */
  readonly audience: string;
  readonly scopes: readonly string[];
  /** All scopes that the API has now. */
  readonly allowAllScopes: boolean;
  readonly subjectType: SubjectType;
  readonly organizationUsage: 'deny' | 'allow' | 'require';
  readonly allowAnyOrganization: boolean;
  /** The wire form without ids, audience, subject and scopes. */
  readonly body: Json;
}

/** The scopes that a grant gives. One that the API no longer has is not given, though the grant still names it. */
export function grantedScopes(
  grant: Pick<ClientGrant, 'scopes' | 'allowAllScopes'>,
  api: Pick<ResourceServer, 'scopes'>,
): string[] {
  const known = api.scopes.map(({ value }) => value);
  if (grant.allowAllScopes) return known;
  const existing = new Set(known);
  return grant.scopes.filter((scope) => existing.has(scope));
}

export const clientGrantErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_client_grant', message: 'The grant does not exist.' },
  taken: {
    status: 409,
    code: 'client_grant_conflict',
    message: 'A client grant already exists between {clientId} and {audience}',
  },
  unknownAudience: {
    status: 404,
    code: 'inexistent_resource_server',
    message: 'No resource with identifier {audience}',
  },
  unknownScopes: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Scopes that the API does not have: {scopes}' on property scope.",
  },
  tooManyScopes: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Array is too long ({count}), maximum {maximum}' on property scope.",
  },
  allScopesAndSome: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'allow_all_scopes and scope exclude each other' on property scope.",
  },
  clientNeeded: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Missing required property: client_id'.",
  },
  notSupported: {
    status: 400,
    code: 'operation_not_supported',
    message: '{what} is not supported.',
  },
});
