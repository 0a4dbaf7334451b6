import { type ClientGrant, grantedScopes } from '../../client-grants/client-grant.ts';
import type { Client } from '../../clients/client.ts';
import type { DeclaredError } from '../../kit/errors.ts';
import type { AccessPolicy, ResourceServer } from '../../resource-servers/resource-server.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { OIDC_SCOPES, parseScope } from './scope.ts';

/** What a token will be good for, before it is known for whom. */
export interface Target {
  /** Undefined: an opaque token for /userinfo alone. */
  readonly api: ResourceServer | undefined;
  /** The audience as it was asked for: the token carries it as it is. */
  readonly audience: string | undefined;
}

/** What a user's token carries. */
export interface UserAccess extends Target {
  readonly scopes: readonly string[];
  /** What tenant code gives the access token instead. */
  readonly tokenScopes?: readonly string[];
  /** Set where the API enforces RBAC: the user's permissions there. */
  readonly permissions: readonly string[] | undefined;
  /** offline_access was asked for and everything that it needs is given. */
  readonly offline: boolean;
}

interface Parts {
  readonly findResourceServer: (tenant: Tenant, audience: string) => Promise<ResourceServer | undefined>;
  readonly findClientGrant: (
    tenantId: string,
    clientId: string,
    resourceServerId: string,
    subjectType: 'client' | 'user',
  ) => Promise<ClientGrant | undefined>;
  readonly permissionsOf: (tenantId: string, userId: string, resourceServerId: string) => Promise<readonly string[]>;
}

type UnknownAudience = (audience: string) => DeclaredError;

export type AccessResolver = ReturnType<typeof createAccessResolver>;

const USERINFO_PATH = '/userinfo';
const NO_API: Target = { api: undefined, audience: undefined };
/** On the Management API a user's token reaches that user only (management-api section 4, users). */
const CURRENT_USER_SCOPES: ReadonlySet<string> = new Set([
  'read:current_user',
  'update:current_user_identities',
  'create:current_user_metadata',
  'update:current_user_metadata',
  'delete:current_user_metadata',
  'create:current_user_device_credentials',
  'delete:current_user_device_credentials',
]);

/** Decides audience, scopes and permissions: authentication-api sections 3 and 15. */
export function createAccessResolver({ findResourceServer, findClientGrant, permissionsOf }: Parts) {
  /** The API that a request means; the tenant's default_audience counts as if it stood in every request. */
  async function target(tenant: Tenant, asked: string | undefined, unknown: UnknownAudience): Promise<Target> {
    const { defaultAudience } = settingsOf(tenant);
    if (asked !== undefined || defaultAudience === undefined) return grantedTarget(tenant, asked, unknown);
    const api = await findResourceServer(tenant, defaultAudience);
    return api ? { api, audience: defaultAudience } : NO_API;
  }

  /** The API that a grant was given for: a default that came later widens no grant. */
  async function grantedTarget(
    tenant: Tenant,
    audience: string | undefined,
    unknown: UnknownAudience,
  ): Promise<Target> {
    if (audience === undefined || isUserinfo(audience)) return NO_API;
    const api = await findResourceServer(tenant, audience);
    if (!api) throw unknown(audience);
    return { api, audience };
  }

  /** A machine's scopes: those of its client grant, narrowed to what was asked for. */
  async function forClient(
    tenant: Tenant,
    client: Client,
    asked: Target,
    scope: string | undefined,
  ): Promise<readonly string[]> {
    if (!asked.api || asked.audience === undefined) throw oauthErrors.missingAudience();
    const granted = await clientGranted(
      tenant,
      client,
      asked.api,
      'client',
      asked.api.clientPolicy ?? 'require_client_grant',
    );
    if (!granted) throw oauthErrors.noClientGrant({ audience: asked.audience });
    const wanted = parseScope(scope);
    return wanted.length === 0 ? granted : granted.filter((value) => wanted.includes(value));
  }

  /**
   * A user's scopes. Unknown ones are dropped without a word, as Auth0 does. `undefined` is no wish at all and opens all
   * scopes of the API (password grant); an empty scope opens none.
   */
  async function forUser(
    tenant: Tenant,
    client: Client,
    userId: string,
    asked: Target,
    scope: string | undefined,
  ): Promise<UserAccess> {
    const wanted = parseScope(scope);
    const reachable =
      asked.api && (await clientGranted(tenant, client, asked.api, 'user', asked.api.userPolicy ?? 'allow_all'));
    if (asked.api && !reachable) throw oauthErrors.noClientGrant({ audience: asked.audience ?? asked.api.identifier });
    const permissions = asked.api?.enforcePolicies
      ? await existingPermissions(tenant.tenantId, userId, asked.api)
      : undefined;
    const apiScopes = grantedApiScopes(
      asked.api,
      reachable ?? [],
      scope === undefined ? undefined : wanted,
      permissions,
    );
    const offline = wanted.includes('offline_access') && mayRefresh(client, asked.api);
    const oidc = wanted.filter((value) => OIDC_SCOPES.has(value) && (value !== 'offline_access' || offline));
    return { ...asked, scopes: [...oidc, ...apiScopes], permissions, offline };
  }

  /** A permission that the API has lost since is nobody's any more. */
  async function existingPermissions(
    tenantId: string,
    userId: string,
    api: ResourceServer,
  ): Promise<readonly string[]> {
    const known = new Set(api.scopes.map(({ value }) => value));
    return (await permissionsOf(tenantId, userId, api.id)).filter((value) => known.has(value));
  }

  /** The scopes that a client may use at an API at all; undefined where it may not use the API (subject_type_authorization). */
  async function clientGranted(
    tenant: Tenant,
    client: Client,
    api: ResourceServer,
    subjectType: 'client' | 'user',
    policy: AccessPolicy,
  ): Promise<readonly string[] | undefined> {
    if (policy === 'deny_all') return undefined;
    if (policy === 'allow_all') return api.scopes.map(({ value }) => value);
    const grant = await findClientGrant(tenant.tenantId, client.clientId, api.id, subjectType);
    return grant && grantedScopes(grant, api);
  }

  return { target, grantedTarget, forClient, forUser };
}

function isUserinfo(audience: string): boolean {
  return audience.endsWith(USERINFO_PATH) && URL.canParse(audience) && new URL(audience).pathname === USERINFO_PATH;
}

function grantedApiScopes(
  api: ResourceServer | undefined,
  reachable: readonly string[],
  wanted: readonly string[] | undefined,
  permissions: readonly string[] | undefined,
): string[] {
  return reachable
    .filter((value) => !OIDC_SCOPES.has(value) && (!api?.isSystem || CURRENT_USER_SCOPES.has(value)))
    .filter((value) => wanted === undefined || wanted.includes(value))
    .filter((value) => permissions === undefined || permissions.includes(value));
}

/** A refresh token needs the client's grant type and, where there is one, the API's consent (authentication-api section 3). */
function mayRefresh(client: Client, api: ResourceServer | undefined): boolean {
  return client.grantTypes.includes('refresh_token') && (api === undefined || api.allowOfflineAccess);
}
