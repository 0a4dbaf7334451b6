import { flagOf, type Json, textOf } from '../kit/json-values.ts';
import type { Management } from '../management/call.ts';
import { MANAGEMENT_IDENTIFIER } from '../resource-servers/resource-server.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type ClientGrant, clientGrantErrors } from './client-grant.ts';
import { type ClientGrantStores, createClientGrant, updateClientGrant } from './manage-client-grants.ts';

export interface ClientGrantRouteParts {
  readonly managementAudience: (origin: string) => string;
  readonly isManagementAudience: (tenant: Tenant, audience: string) => boolean;
}

/** /client-grants of the Management API. */
export function clientGrantRoutes<Stores extends ClientGrantStores>(
  management: Management<Stores>,
  parts: ClientGrantRouteParts,
): void {
  const stored = (tenant: Tenant, audience: string) => {
    if (parts.isManagementAudience(tenant, audience)) return MANAGEMENT_IDENTIFIER;
    return audience === MANAGEMENT_IDENTIFIER ? '' : audience;
  };
  const wireAt = (origin: string) => (grant: ClientGrant) => toWire(grant, parts.managementAudience(origin));

  management.route('GET /client-grants', async (call) => {
    const { query, tenant } = call;
    const audience = textOf(query.audience);
    const filter = {
      clientId: textOf(query.client_id),
      audience: audience === undefined ? undefined : stored(tenant, audience),
      // There are no default grants, so that who asks for them gets none.
      subjectType: query.default_for === undefined ? textOf(query.subject_type) : 'none',
      allowAnyOrganization: flagOf(query.allow_any_organization),
    };
    const { clientGrants } = call.stores;
    return call.list('client_grants', {
      page: (offset, limit) => clientGrants.page(tenant.tenantId, filter, offset, limit),
      count: () => clientGrants.count(tenant.tenantId, filter),
      after: (position, limit) => clientGrants.after(tenant.tenantId, filter, position, limit),
      cursorOf: ({ position }) => position,
      toWire: ({ grant }) => wireAt(call.origin)(grant),
    });
  });

  management.route('POST /client-grants', async (call) => {
    const audience = stored(call.tenant, textOf(call.body.audience) ?? '');
    return call.commit(async (stores) =>
      wireAt(call.origin)(await createClientGrant(stores, call.tenant.tenantId, call.body, audience)),
    );
  });

  management.route('GET /client-grants/{id}', async (call) => {
    const grant = await call.stores.clientGrants.find(call.tenant.tenantId, call.params.id ?? '');
    if (!grant) throw clientGrantErrors.notFound();
    return wireAt(call.origin)(grant);
  });

  management.route('PATCH /client-grants/{id}', async (call) =>
    call.commit(async (stores) =>
      wireAt(call.origin)(await updateClientGrant(stores, call.tenant.tenantId, call.params.id ?? '', call.body)),
    ),
  );

  management.route('DELETE /client-grants/{id}', async (call) =>
    call.commit((stores) => stores.clientGrants.remove(call.tenant.tenantId, call.params.id ?? '')),
  );

  // Organizations are not built: a grant that exists is used by none of them.
  management.route('GET /client-grants/{id}/organizations', async (call) => {
    const grant = await call.stores.clientGrants.find(call.tenant.tenantId, call.params.id ?? '');
    if (!grant) throw clientGrantErrors.notFound();
    return call.list('organizations', { page: async () => [], count: async () => 0, after: async () => [] });
  });
}

function toWire(grant: ClientGrant, managementAudience: string): Json {
  return {
    id: grant.id,
    client_id: grant.clientId,
    audience: grant.audience === MANAGEMENT_IDENTIFIER ? managementAudience : grant.audience,
    scope: grant.scopes,
    subject_type: grant.subjectType,
    ...grant.body,
  };
}
