import type { Connection } from '../../connections/connection.ts';
import type { Json } from '../../kit/json-values.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { NewDatabaseUser } from '../../users/create-user.ts';
import type { User } from '../../users/user.ts';
import type { RequestPart } from './event-parts.ts';

// Users and contexts as hooks know them: camelCase beside snake_case (extensibility: hooks).

export function newHookUser({ tenantId }: Tenant, user: NewDatabaseUser): Json {
  return {
    tenant: tenantId,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerified === true,
    phoneNumber: user.phoneNumber,
    phoneNumberVerified: user.phoneVerified === true,
    user_metadata: user.userMetadata ?? {},
    app_metadata: user.appMetadata ?? {},
  };
}

export function hookUser({ tenantId }: Tenant, user: User): Json {
  const [identity] = user.identities;
  const reset = user.reportedPasswordReset ?? user.lastPasswordReset;
  return {
    id: identity?.userId ?? user.userId,
    tenant: tenantId,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerified,
    phoneNumber: user.phoneNumber,
    phoneNumberVerified: user.phoneVerified,
    user_metadata: user.userMetadata,
    app_metadata: user.appMetadata,
    ...(reset && { last_password_reset: reset.toISOString() }),
  };
}

interface HookFacts {
  readonly tenant: Tenant;
  readonly connection: Connection;
  readonly request: RequestPart;
}

export function hookContext({ tenant, connection, request }: HookFacts): Json {
  const { requester, language } = request;
  return {
    requestLanguage: language ?? 'en',
    renderLanguage: language ?? 'en',
    connection: { id: connection.id, name: connection.name, tenant: tenant.tenantId },
    request: { ip: requester.ip, userAgent: requester.userAgent, hostname: requester.hostname, geoip: {} },
  };
}
