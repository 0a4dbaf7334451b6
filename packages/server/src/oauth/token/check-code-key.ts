import { oauthErrors } from '../oauth-errors.ts';
import type { Possession } from '../possession/possession.ts';

/** A code that was asked for with `dpop_jkt` is redeemed by the holder of that key alone (RFC 9449 section 10). */
export function checkCodeKey(dpopJkt: string | undefined, { jkt }: Possession): void {
  if (dpopJkt === undefined || dpopJkt === jkt) return;
  throw jkt === undefined ? oauthErrors.proofRequired() : oauthErrors.boundToOtherKey();
}
