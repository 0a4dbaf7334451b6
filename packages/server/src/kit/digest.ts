import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** SHA-256, base64url: how codes, cookies and tokens are stored, so that a stolen table opens nothing. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** HMAC-SHA-256, base64url. */
export function keyedDigest(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Compares two secrets without telling, by the time it takes, where they differ or how long the stored one is. */
export function equalSecrets(given: string, stored: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', stored, 'buffer'));
}
