import type { Tenant } from '../tenants/tenant.ts';

/** The host that asks clients for certificates, beside the one that browsers use: a browser would ask its user for one. */
const PREFIX = 'mtls.';
/** Programs ask these; pages and cookies stay at the tenant's own origin. */
const FOR_PROGRAMS = /^\/(?:oauth\/|userinfo(?:[?]|$)|api\/v2\/)/;

/** The origin that `mtls.<host>` stands for at the endpoints of programs (RFC 8705 section 5). */
export function originBehindAlias(origin: string, url: string): string | undefined {
  const { protocol, host } = new URL(origin);
  return host.startsWith(PREFIX) && FOR_PROGRAMS.test(url) ? `${protocol}//${host.slice(PREFIX.length)}` : undefined;
}

export function aliasOf(origin: string): string {
  const { protocol, host } = new URL(origin);
  return `${protocol}//${PREFIX}${host}`;
}

/** Tenant setting mtls.enable_endpoint_aliases. */
export function hasMtlsAliases({ settings }: Pick<Tenant, 'settings'>): boolean {
  const { mtls } = settings;
  return typeof mtls === 'object' && mtls !== null && 'enable_endpoint_aliases' in mtls
    ? mtls.enable_endpoint_aliases === true
    : false;
}
