import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts secrets at rest. `context` names the place (tenant, table, row), so that a ciphertext moved elsewhere does not open. */
export interface Sealer {
  seal(plaintext: string | Uint8Array, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM under a key derived from the installation's secret (product.md 3.7); layout: version, nonce, tag, ciphertext. */
export function createSealer(secret: Uint8Array): Sealer {
  const key = new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), 'gatewright/seal/v1', 32));

  function seal(plaintext: string | Uint8Array, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
    const body = Buffer.concat([cipher.update(Buffer.from(plaintext as string)), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
  }

  function open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed);
    if (bytes[0] !== VERSION || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) {
      throw new Error('A stored secret has an unknown format: it was written by a newer version or is damaged.');
    }
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
    const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context)).setAuthTag(tag);
    return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  }

  return { seal, open };
}
