import { createHash } from 'node:crypto';
import type { SigningAlgorithm } from '../../clients/client.ts';

/** at_hash and c_hash: the left half of the hash that the ID token's algorithm uses (OpenID Connect Core section 3.3.2.11). */
export function tokenHash(algorithm: SigningAlgorithm, value: string): string {
  const hash = createHash(algorithm === 'RS512' ? 'sha512' : 'sha256')
    .update(value, 'ascii')
    .digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}
