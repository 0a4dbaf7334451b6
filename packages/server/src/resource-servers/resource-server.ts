import { defineErrors } from '../kit/errors.ts';
import type { Json } from '../kit/json-values.ts';

/** What is stored as the Management API's identifier; on the wire it is `<origin that was asked>/api/v2/`. */
export const MANAGEMENT_IDENTIFIER = 'urn:gatewright:management';
export const MANAGEMENT_NAME = 'Auth0 Management API';

export type TokenDialect = 'access_token' | 'access_token_authz' | 'rfc9068_profile' | 'rfc9068_profile_authz';

export interface Scope {
  readonly value: string;
  readonly description?: string;
}

/** An API. `body` is its wire form without ids, scopes and secrets. */
export interface ResourceServer {
  readonly id: string;
  /** MANAGEMENT_IDENTIFIER for the system API. */
  readonly identifier: string;
  readonly name: string;
  readonly isSystem: boolean;
  readonly scopes: readonly Scope[];
  readonly signingAlg: 'RS256' | 'HS256' | 'PS256' | 'RS512';
  /** Signs HS256 tokens. */
  readonly signingSecret: string | undefined;
  readonly tokenLifetime: number;
  /** For tokens that /authorize itself hands out. */
  readonly tokenLifetimeForWeb: number;
  readonly allowOfflineAccess: boolean;
  readonly skipConsentForVerifiableFirstPartyClients: boolean;
  readonly tokenDialect: TokenDialect;
  /** RBAC: a user gets only scopes that roles or permissions give. */
  readonly enforcePolicies: boolean;
  /** Which flows may get tokens at all: `deny_all`, `require_client_grant` or `allow_all`. */
  readonly userPolicy: AccessPolicy | undefined;
  readonly clientPolicy: AccessPolicy | undefined;
  /** How tokens are bound to a key of the client, and whether they must be; undefined where they are not. */
  readonly proofOfPossession: ProofOfPossession | undefined;
  readonly body: Json;
}

export interface ProofOfPossession {
  readonly mechanism: 'dpop' | 'mtls';
  readonly isRequired: boolean;
  readonly requiredFor: 'public_clients' | 'all_clients';
}

export type AccessPolicy = 'deny_all' | 'require_client_grant' | 'allow_all';

/** Whether tokens of this dialect carry a `permissions` claim (with RBAC on). */
export function carriesPermissions(resourceServer: Pick<ResourceServer, 'tokenDialect' | 'enforcePolicies'>): boolean {
  return resourceServer.enforcePolicies && resourceServer.tokenDialect.endsWith('_authz');
}

export const resourceServerErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_resource_server', message: 'The resource server does not exist' },
  identifierTaken: {
    status: 409,
    code: 'resource_server_conflict',
    message: 'A resource server with the same identifier already exists',
  },
  system: {
    status: 400,
    code: 'operation_not_supported',
    message: 'System resource servers cannot be deleted.',
  },
  systemProperty: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Additional properties not allowed: {properties}'",
  },
  webLifetime: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'Must be a whole number of seconds, at most token_lifetime' on property token_lifetime_for_web.",
  },
  searchTimeout: {
    status: 504,
    code: 'search_timeout',
    message: 'The search took too long. Narrow it down, for example by the beginning of an identifier.',
  },
  noFlag: {
    status: 400,
    code: 'invalid_query_string',
    message: 'Query validation error: the value of is_system is true or false.',
  },
  noDate: {
    status: 400,
    code: 'invalid_query_string',
    message: "Query validation error: '{value}' is no date of the form 2026-01-31 or 2026-01-31T12:00:00Z.",
  },
  duplicateScope: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Duplicate scope: {value}' on property scopes.",
  },
  tooManyScopes: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Array is too long ({count}), maximum {maximum}' on property scopes.",
  },
  malformedScope: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'A scope has no blanks, quotes or backslashes: {value}' on property scopes.",
  },
  secretNeeded: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'HS256 needs a signing secret of 16 to 1024 characters' on property signing_secret.",
  },
  malformedIdentifier: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Blanks and control characters are not allowed' on property identifier.",
  },
});
