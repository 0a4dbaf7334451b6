import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';
import type { Entry } from './entry.ts';

/**
 * Under which key, and how, an access token's entry is kept. The cache sees neither the token nor what belongs to it: the key is a
 * hash, and the value is encrypted under a key that only the holder of the token AND the company's secret can derive. So a dump of
 * memcached holds nothing of use, and who can write to memcached can't make an entry, nor move one to another token, API or issuer.
 */
export interface EntryScope {
  /** At least 32 bytes, the same for all services that share the cache. */
  readonly secret: string;
  /** Tokens of another environment or API are other entries, though the cache is shared. */
  readonly issuer: string;
  readonly audience: string;
}

export interface SealedEntries {
  keyOf(accessToken: string): string;
  seal(accessToken: string, entry: Entry): string;
  /** Undefined where the value is not one that `seal` made for this token. */
  open(accessToken: string, value: string): Entry | undefined;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = '1.';

export function createSealedEntries({ secret, issuer, audience }: EntryScope): SealedEntries {
  const scope = JSON.stringify([issuer, audience]);
  return {
    keyOf: (accessToken) => `gw1:${hash('sha256', `${scope}\0${accessToken}`, 'base64url')}`,

    seal(accessToken, entry) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', encryptionKey(accessToken), iv).setAAD(Buffer.from(scope));
      const text = Buffer.concat([cipher.update(JSON.stringify(entry), 'utf8'), cipher.final()]);
      return FORMAT + Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
    },

    open(accessToken, value) {
      if (!value.startsWith(FORMAT)) return undefined;
      const bytes = Buffer.from(value.slice(FORMAT.length), 'base64url');
      if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
      try {
        const decipher = createDecipheriv('aes-256-gcm', encryptionKey(accessToken), bytes.subarray(0, IV_BYTES))
          .setAAD(Buffer.from(scope))
          .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
        // Whoever could seal it knows the secret: its shape is ours.
        return JSON.parse(text.toString('utf8'));
      } catch {
        return undefined;
      }
    },
  };

  function encryptionKey(accessToken: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', accessToken, secret, `gatewright api-guard entry ${scope}`, 32));
  }
}
