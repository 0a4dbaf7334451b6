import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** One cookie of a tenant at the origin of a request. Names and attributes: product.md 3.6. */
export interface TenantCookie {
  read(request: FastifyRequest): string | undefined;
  /** `expires` undefined: until the browser closes. */
  write(request: FastifyRequest, reply: FastifyReply, value: string, expires?: Date): void;
  clear(request: FastifyRequest, reply: FastifyReply): void;
}

/**
 * On https `__Host-gw-<tenant>` (so that no subdomain can toss one in) with SameSite=None, and a Lax twin for browsers
 * that drop the first; on http, which is loopback only, `gw-<tenant>-<port>` since ports of one host share their cookies.
 */
export function createTenantCookie(suffix = ''): TenantCookie {
  function names(request: FastifyRequest): { main: string; twin: string | undefined; secure: boolean } {
    const url = new URL(request.origin);
    if (url.protocol !== 'https:')
      return { main: `gw-${request.tenant.tenantId}-${url.port || 80}${suffix}`, twin: undefined, secure: false };
    const main = `__Host-gw-${request.tenant.tenantId}${suffix}`;
    return { main, twin: `${main}-lax`, secure: true };
  }

  function set(request: FastifyRequest, reply: FastifyReply, value: string, expires?: Date): void {
    const { main, twin, secure } = names(request);
    const common = { value, path: '/', httpOnly: true, secure, ...(expires && { expires }) };
    const headers = [stringifySetCookie({ ...common, name: main, sameSite: secure ? 'none' : 'lax' })];
    if (twin) headers.push(stringifySetCookie({ ...common, name: twin, sameSite: 'lax' }));
    reply.header('set-cookie', headers);
  }

  return {
    read(request) {
      const { main, twin } = names(request);
      const cookies = parseCookie(request.headers.cookie ?? '');
      return cookies[main] ?? (twin && cookies[twin]);
    },
    write: set,
    clear: (request, reply) => set(request, reply, '', new Date(0)),
  };
}
