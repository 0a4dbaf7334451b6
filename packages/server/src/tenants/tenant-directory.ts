import { type ParsedOrigin, parseOrigin } from '../kit/parse-origin.ts';
import type { Tenant } from './tenant.ts';
import type { TenantCache } from './tenant-cache.ts';
import type { TenantStore } from './tenant-store.ts';

/** The ports that this process listens on now; undefined where a protocol is off. */
export interface Listening {
  readonly http: number | undefined;
  readonly https: number | undefined;
}

interface Parts {
  readonly cache: TenantCache;
  readonly tenants: TenantStore;
  readonly baseDomain: string;
  /** GATEWRIGHT_ORIGIN: the default tenant's canonical origin; its localhost origins are then off. */
  readonly defaultOrigin: string | undefined;
  readonly listening: () => Listening;
  /** Public names are then at the proxy's https port, whatever port we listen on. */
  readonly isBehindProxy?: boolean;
}

export type TenantDirectory = ReturnType<typeof createTenantDirectory>;

const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);
/** No tenant has this name: notifications for it tell that tenants or their origins changed. */
export const ALL_TENANTS = '*';

/** Finds the tenant of an origin, and the origins of a tenant. */
export function createTenantDirectory({
  cache,
  tenants,
  baseDomain,
  defaultOrigin,
  listening,
  isBehindProxy = false,
}: Parts) {
  const directory = () => cache.get(ALL_TENANTS, 'directory', () => tenants.directory());

  async function find(tenantId: string): Promise<Tenant | undefined> {
    const { tenantIds } = await directory();
    return tenantIds.has(tenantId) ? cache.get(tenantId, 'tenant', () => tenants.find(tenantId)) : undefined;
  }

  /** The tenant that answers at an origin: registered, computed for the default tenant, or `{tenant}.{base domain}`. */
  async function resolve(origin: string): Promise<Tenant | undefined> {
    const { owners, defaultTenantId } = await directory();
    const owner = owners.get(origin);
    if (owner) return find(owner);
    if (defaultTenantId && (origin === defaultOrigin || isLoopbackOrigin(origin))) return find(defaultTenantId);
    const name = nameUnderBaseDomain(origin);
    if (!name) return undefined;
    return name === defaultTenantId && defaultOrigin ? undefined : find(name);
  }

  function isLoopbackOrigin(origin: string): boolean {
    if (defaultOrigin) return false;
    const parsed = parseOrigin(origin);
    return parsed !== undefined && LOOPBACK_HOSTS.has(parsed.hostname) && isListenedOn(parsed);
  }

  function nameUnderBaseDomain(origin: string): string | undefined {
    const url = parseOrigin(origin);
    if (!url?.hostname.endsWith(`.${baseDomain}`)) return undefined;
    // Cookies of plain http are not Secure: it is for loopback names only.
    if (url.protocol === 'http:' && baseDomain !== 'localhost') return undefined;
    // Behind a proxy the public port is https's own, whatever port we listen on.
    const isPublic = url.protocol === 'https:' && url.port === '' && baseDomain !== 'localhost';
    if (!isPublic && !isListenedOn(url)) return undefined;
    return url.hostname.slice(0, -baseDomain.length - 1);
  }

  function isListenedOn(url: ParsedOrigin): boolean {
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    return port === (url.protocol === 'https:' ? listening().https : listening().http);
  }

  /** The origin that mails, tickets and first-run.json name: never taken from a request. */
  function canonicalOrigin(tenant: Tenant): string {
    if (tenant.canonicalOrigin) return tenant.canonicalOrigin;
    if (tenant.isDefault && defaultOrigin) return defaultOrigin;
    if (isBehindProxy && !tenant.isDefault && baseDomain !== 'localhost')
      return `https://${tenant.tenantId}.${baseDomain}`;
    return localOrigin(tenant, listening().https ? 'https' : 'http');
  }

  /** The computed origin at one of our own ports. */
  function localOrigin(tenant: Tenant, scheme: 'http' | 'https'): string {
    const host = tenant.isDefault ? 'localhost' : `${tenant.tenantId}.${baseDomain}`;
    return new URL(`${scheme}://${host}:${scheme === 'https' ? listening().https : listening().http}`).origin;
  }

  /**
   * Whether this origin is, or was at an earlier port, one of this tenant's. Tokens stay valid when a laptop's server
   * comes back on another port; they are signed with the tenant's own key, so no other tenant can profit.
   */
  function ownsOrigin(tenant: Tenant, origin: string): boolean {
    if (tenant.origins.includes(origin) || (tenant.isDefault && origin === defaultOrigin)) return true;
    const hostname = parseOrigin(origin)?.hostname;
    if (hostname === undefined) return false;
    if (tenant.isDefault && LOOPBACK_HOSTS.has(hostname)) return true;
    return hostname === `${tenant.tenantId}.${baseDomain}`;
  }

  /** `<any origin of this tenant>/api/v2/` is the audience of its Management API. */
  function isManagementAudience(tenant: Tenant, audience: string): boolean {
    const suffix = '/api/v2/';
    if (!audience.endsWith(suffix)) return false;
    const origin = audience.slice(0, -suffix.length);
    return parseOrigin(origin)?.origin === origin && ownsOrigin(tenant, origin);
  }

  /** Issuers of this tenant's tokens: `<origin>/`. */
  function isIssuer(tenant: Tenant, issuer: string): boolean {
    return issuer.endsWith('/') && ownsOrigin(tenant, issuer.slice(0, -1));
  }

  return { find, resolve, canonicalOrigin, localOrigin, ownsOrigin, isManagementAudience, isIssuer };
}
