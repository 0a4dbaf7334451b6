import { isWebOrigin } from '../../clients/allowed-origin.ts';
import { type Client, matchRules } from '../../clients/client.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { authorizeErrors } from './authorize-errors.ts';
import type { ResponseMode } from './response-mode.ts';

/** Messages go only to pages whose origin is among the client's web_origins: a callback alone does not ask for them (attack A5). */
export function checkWebMessage(tenant: Tenant, client: Client, mode: ResponseMode, redirectUri: string): void {
  if (mode !== 'web_message') return;
  if (!isWebOrigin(client, new URL(redirectUri).origin, matchRules(client, tenant)))
    throw authorizeErrors.originNotRegistered({ redirectUri: redirectUri.slice(0, 512) });
}
