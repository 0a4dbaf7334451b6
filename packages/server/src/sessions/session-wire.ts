import type { Tenant } from '../tenants/tenant.ts';
import { effectiveExpiry } from './session.ts';
import type { ListedSession } from './session-list-store.ts';

/** A session as the Management API shows it. Its id is the `sid` of tokens and opens nothing. */
export function sessionToWire(tenant: Tenant, session: ListedSession): Record<string, unknown> {
  const { absolute, idle } = effectiveExpiry(tenant, session);
  return {
    id: session.sessionId,
    user_id: session.userId,
    created_at: session.createdAt.toISOString(),
    updated_at: session.lastUsedAt.toISOString(),
    authenticated_at: session.authenticatedAt.toISOString(),
    idle_expires_at: idle.toISOString(),
    expires_at: absolute.toISOString(),
    last_interacted_at: session.lastUsedAt.toISOString(),
    device: deviceOf(session.device),
    clients: session.clientIds.map((client_id) => ({ client_id })),
    authentication: { methods: session.methods },
    cookie: { mode: session.isPersistent ? 'persistent' : 'non-persistent' },
    ...(Object.keys(session.metadata).length > 0 && { session_metadata: session.metadata }),
  };
}

/** Sessions of earlier versions name the browser of the login alone. */
function deviceOf(device: ListedSession['device']): Record<string, unknown> {
  const { ip, user_agent, ...known } = device;
  if (ip === undefined && user_agent === undefined) return known;
  return { initial_ip: ip, initial_user_agent: user_agent, last_ip: ip, last_user_agent: user_agent, ...known };
}
