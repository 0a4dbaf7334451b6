import { matchesUrl } from '../../clients/callback-match.ts';
import { type Client, matchRules } from '../../clients/client.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { authorizePageErrors } from './authorize-errors.ts';

/** The address must be registered, to the letter or by a documented wildcard (RFC 9700 section 2.1); without one the first counts. */
export function checkRedirectUri(tenant: Tenant, client: Client, given: string | undefined): string {
  if (given === undefined) {
    const [first] = client.callbacks;
    if (first === undefined || first.includes('*')) throw authorizePageErrors.noCallback();
    return first;
  }
  if (!matchesUrl(client.callbacks, given, matchRules(client, tenant))) {
    throw authorizePageErrors.callbackMismatch({ redirectUri: given.slice(0, 512) });
  }
  return given;
}
