import type { InjectOptions, Response } from 'light-my-request';
import type { Tunnel, TunnelRequest, TunnelResponse } from './job.ts';
import { asTunnelled } from './tunnelled-request.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** No cookies, nothing forwarded, no Host: whose request it is, is fixed by the container. */
const HEADERS_IN = ['authorization', 'content-type', 'accept', 'auth0-client', 'user-agent'];
const HEADERS_OUT = ['content-type', 'www-authenticate', 'retry-after', 'cache-control', 'x-auth0-requestid'];

const NOT_SERVED =
  'Code of a tenant reaches two places at its own tenant: /api/v2/ with a token, and /oauth/. Others, such as /userinfo, /.well-known/ and /dbconnections/, are not served to it: what to do instead is in docs/rules.md.';

/**
 * The way of a tenant's code to the tenant's own Management API and token endpoint, which answer at an address that
 * containers can't reach. One origin, since a token is valid at each origin of its tenant.
 */
export function createApiTunnels({ inject }: { inject: (request: InjectOptions) => Promise<Response> }) {
  return (tenantId: string, origins: readonly [string, ...string[]]): Tunnel => ({
    hosts: origins.map(hostAndPort),
    async answer(request, depth) {
      const asked = admit(request);
      if ('status' in asked) return asked;
      const { host } = new URL(origins[0]);
      // Awaited inside: an injected request begins when somebody waits for it.
      const answered = await asTunnelled({ tenantId, origin: origins[0], depth }, async () => {
        return await inject({ ...asked, headers: { ...asked.headers, host }, payload: request.body });
      });
      return {
        status: answered.statusCode,
        headers: pick(answered.headers, (name) => HEADERS_OUT.includes(name) || name.startsWith('x-ratelimit-')),
        body: answered.rawPayload,
      };
    },
  });
}

export type ApiTunnels = ReturnType<typeof createApiTunnels>;

/** The request as it goes on, without what a tenant's code may not say; or why it does not. */
export function admit({ method, url, headers }: Omit<TunnelRequest, 'body'>) {
  const known = METHODS.find((one) => one === method);
  // Dots and backslashes are resolved here, so that what is compared is what is asked for.
  const target = URL.canParse(url, 'http://tenant') ? new URL(url, 'http://tenant') : undefined;
  if (!known || !target) return refusal(400, 'Bad Request', 'The request is malformed.');
  const isManagement = target.pathname.startsWith('/api/v2/');
  if (!isManagement && !target.pathname.startsWith('/oauth/')) return refusal(403, 'Forbidden', NOT_SERVED);
  // At /oauth/ applications prove who they are in the request; no session is there to be used.
  if (isManagement && !/^(?:Bearer|DPoP) \S+$/i.test(String(headers.authorization ?? '')))
    return refusal(401, 'Unauthorized', 'Missing authentication');
  return {
    method: known,
    url: target.pathname + target.search,
    headers: pick(headers, (name) => HEADERS_IN.includes(name)),
  };
}

function pick(headers: Readonly<Record<string, unknown>>, isWanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      isWanted(name) && (typeof value === 'string' || typeof value === 'number') ? [[name, String(value)]] : [],
    ),
  );
}

function refusal(status: number, error: string, message: string): TunnelResponse {
  const body = JSON.stringify({ statusCode: status, error, message });
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: Buffer.from(body) };
}

function hostAndPort(origin: string): string {
  const { hostname, port, protocol } = new URL(origin);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
