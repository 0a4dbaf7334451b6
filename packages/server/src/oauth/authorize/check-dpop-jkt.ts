import { authorizeErrors } from './authorize-errors.ts';

/** `dpop_jkt` (RFC 9449 section 10): an RFC 7638 thumbprint with SHA-256, or it could never be matched. */
export function checkDpopJkt(value: string | undefined): string | undefined {
  if (value === undefined || /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  throw authorizeErrors.invalidRequest({ reason: 'dpop_jkt must be the SHA-256 thumbprint of a key' });
}
