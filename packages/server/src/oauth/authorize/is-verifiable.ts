import type { Tenant } from '../../tenants/tenant.ts';

const LOOPBACK = /^https?:\/\/(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?=[:/?#]|$)/i;

/**
 * Whether only the application itself can receive what is sent to its address: any program can listen on localhost or take
 * a custom scheme. A development tenant takes localhost for the developer's own (decision 15).
 */
export function isVerifiable(redirectUri: string, { environment }: Pick<Tenant, 'environment'>): boolean {
  if (!/^https?:/i.test(redirectUri)) return false;
  return environment !== 'production' || !LOOPBACK.test(redirectUri);
}
