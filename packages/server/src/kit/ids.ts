import { randomBytes } from 'node:crypto';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A random string over A–Z, a–z, 0–9 without bias: 5.95 bits for each character. */
export function randomAlphanumeric(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // 248 is the largest multiple of 62 in a byte; larger values would favour the first characters.
      if (byte < 248 && text.length < length) text += ALPHANUMERIC[byte % 62];
    }
  }
  return text;
}

/** An id as Auth0 makes them: `con_` and 16 characters, `rol_` … (management-api: ids). */
export function prefixedId(prefix: string, length = 16): string {
  return `${prefix}_${randomAlphanumeric(length)}`;
}

/** 24 hexadecimal characters, the form of `auth0|…` user ids and of resource server ids: 96 random bits. */
export function hexId(): string {
  return randomBytes(12).toString('hex');
}

/** A secret for codes, cookies and opaque tokens: 256 random bits, base64url. */
export function randomSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
