import type { Client } from '../clients/client.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';

/** Where the application lives, from its registration: its own login address, else the tenant's, else its first callback's site. */
export function applicationAddress(tenant: Tenant, client: Client | undefined): string | undefined {
  const registered = client?.initiateLoginUri ?? settingsOf(tenant).defaultRedirectionUri;
  if (registered) return registered;
  const callback = client?.callbacks.find((url) => /^https?:/.test(url) && !/[*{]/.test(url) && URL.canParse(url));
  return callback === undefined ? undefined : new URL(callback).origin;
}

/** The address that an operator wished for, told what came of it (`success`, `message` and, unless forbidden, `email`). */
export function withResult(
  resultUrl: string,
  result: { readonly success: boolean; readonly message: string; readonly email: string | undefined },
): string {
  const url = new URL(resultUrl);
  url.searchParams.set('success', String(result.success));
  url.searchParams.set('message', result.message);
  if (result.email !== undefined) url.searchParams.set('email', result.email);
  return url.href;
}
