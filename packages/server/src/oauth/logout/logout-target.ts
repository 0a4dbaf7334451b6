import type { FastifyRequest } from 'fastify';
import { matchesUrl } from '../../clients/callback-match.ts';
import { type Client, matchRules } from '../../clients/client.ts';
import { defineErrors } from '../../kit/errors.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';

export const logoutErrors = defineErrors({
  unknownClient: { status: 400, code: 'unknown-client', message: 'Unknown client: {clientId}' },
  urlMismatch: {
    status: 400,
    code: 'logout-url-mismatch',
    message: 'The "{parameter}" querystring parameter "{url}" is not defined as a valid URL in "Allowed Logout URLs".',
  },
  invalidHint: { status: 400, code: 'invalid-request', message: 'The id_token_hint is no ID token of this tenant.' },
  hintMismatch: { status: 400, code: 'invalid-request', message: 'The {parameter} does not fit the id_token_hint.' },
});

type FindClient = (tenantId: string, clientId: string) => Promise<Client | undefined>;

/** The client that a logout names. */
export async function clientOfLogout(
  findClient: FindClient,
  { tenant }: Pick<FastifyRequest, 'tenant'>,
  clientId: string | undefined,
): Promise<Client | undefined> {
  if (clientId === undefined) return undefined;
  const client = await findClient(tenant.tenantId, clientId);
  if (!client || client.isGlobal) throw logoutErrors.unknownClient({ clientId: clientId.slice(0, 128) });
  return client;
}

/** With a client its list counts, without one the tenant's; a client without an address means its first entry. */
export function checkLogoutUrl(
  tenant: Tenant,
  client: Client | undefined,
  parameter: 'returnTo' | 'post_logout_redirect_uri',
  given: string | undefined,
): string | undefined {
  const allowed = allowedLogoutUrls(tenant, client);
  if (given === undefined) return client ? allowed.find((url) => !url.includes('*')) : undefined;
  const rules = client
    ? matchRules(client, tenant)
    : { wildcards: true, localhostAny: tenant.environment !== 'production' };
  if (matchesUrl(allowed, given, { ...rules, ignoreQuery: true })) return given;
  throw logoutErrors.urlMismatch({ parameter, url: given.slice(0, 512) });
}

export function allowedLogoutUrls(tenant: Tenant, client: Client | undefined): readonly string[] {
  return client ? client.allowedLogoutUrls : settingsOf(tenant).allowedLogoutUrls;
}
