import type { Client } from '../../clients/client.ts';
import { oauthErrors } from '../oauth-errors.ts';

/** The redirect_uri of the redemption is that of the request (RFC 6749 section 4.1.3); it may be left out where that had none. */
export function checkRedemptionUri(authorized: string | undefined, sent: string | undefined, client: Client): void {
  const expected = authorized ?? (sent === undefined ? undefined : client.callbacks[0]);
  if (sent === expected) return;
  throw oauthErrors.wrongRedirectUri({ sent: originOf(sent), expected: originOf(expected) });
}

function originOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : 'none';
}
