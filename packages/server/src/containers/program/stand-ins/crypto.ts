import crypto from 'node:crypto';

let made: object | undefined;

/** The global `crypto` of rules: node's module as it was when they were written. */
export function historicCrypto(): object {
  made ??= Object.assign(Object.create(crypto), {
    createCipheriv: (algorithm: string, key: unknown, iv: unknown, options?: object) =>
      crypto.createCipheriv(algorithm as crypto.CipherGCMTypes, latin1(key), latin1(iv), options),
    createDecipheriv: (algorithm: string, key: unknown, iv: unknown, options?: object) =>
      crypto.createDecipheriv(algorithm as crypto.CipherGCMTypes, latin1(key), latin1(iv), options),
    createCipher(algorithm: string, password: unknown) {
      const { key, iv } = fromPassword(algorithm, password);
      return crypto.createCipheriv(algorithm, key, iv);
    },
    createDecipher(algorithm: string, password: unknown) {
      const { key, iv } = fromPassword(algorithm, password);
      return crypto.createDecipheriv(algorithm, key, iv);
    },
  });
  return made as object;
}

/** Strings meant bytes, one a character. */
function latin1(given: unknown): Buffer {
  return typeof given === 'string' ? Buffer.from(given, 'latin1') : (given as Buffer);
}

/** OpenSSL's EVP_BytesToKey with MD5, one round and no salt: what createCipher did until Node 22 dropped it. */
function fromPassword(algorithm: string, password: unknown): { key: Buffer; iv: Buffer | null } {
  const known = crypto.getCipherInfo(algorithm);
  if (!known) throw new Error(`Unknown cipher ${algorithm}.`);
  const { keyLength, ivLength = 0 } = known;
  const secret = latin1(password);
  let derived = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (derived.length < keyLength + ivLength) {
    last = crypto.createHash('md5').update(last).update(secret).digest();
    derived = Buffer.concat([derived, last]);
  }
  const iv = derived.subarray(keyLength, keyLength + ivLength);
  return { key: derived.subarray(0, keyLength), iv: ivLength === 0 ? null : iv };
}
