import { randomBytes, randomFillSync } from 'node:crypto';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Drawn in advance for many ids: a call for random bytes takes longer than all else about an id. */
const drawn = Buffer.alloc(4_096);
let used = drawn.length;

/** A random string over A–Z, a–z, 0–9 without bias: 5.95 bits for each character. */
export function randomAlphanumeric(length: number): string {
  let text = '';
  while (text.length < length) {
    const byte = draw();
    // 248 is the largest multiple of 62 in a byte; larger values would favour the first characters.
    if (byte < 248) text += ALPHANUMERIC[byte % 62];
  }
  return text;
}

/** A byte that nobody gets a second time: it is wiped as it is taken. */
function draw(): number {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const byte = drawn[used] ?? 0;
  drawn[used++] = 0;
  return byte;
}

/** Lower-case hexadecimal digits, two of each random byte. */
export function randomHex(bytes: number): string {
  let text = '';
  for (let count = 0; count < bytes; count++) text += HEX[draw()];
  return text;
}

/** An id as Auth0 makes them: `con_` and 16 characters, `rol_` … (management-api: ids). */
export function prefixedId(prefix: string, length = 16): string {
  return `${prefix}_${randomAlphanumeric(length)}`;
}

/** 24 hexadecimal characters, the form of `auth0|…` user ids and of resource server ids: 96 random bits. */
export function hexId(): string {
  return randomHex(12);
}

/** A secret for codes, cookies and opaque tokens: 256 random bits, base64url. */
export function randomSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
