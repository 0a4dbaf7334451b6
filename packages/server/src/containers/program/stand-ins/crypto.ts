import type * as Crypto from 'node:crypto';

let historic: object | undefined;
let tolerant: typeof Crypto | undefined;

/** Node's module, loaded when it is asked for. Deno's knows ciphers in lower case only: `AES-256-CBC` works as well. */
export function nodeCrypto(): typeof Crypto {
  if (tolerant) return tolerant;
  const crypto = process.getBuiltinModule('node:crypto');
  const { createCipheriv, createDecipheriv } = crypto;
  const lower = (name: unknown) => String(name).toLowerCase();
  Reflect.set(crypto, 'createCipheriv', (name: unknown, ...given: unknown[]) =>
    Reflect.apply(createCipheriv, crypto, [lower(name), ...given]),
  );
  Reflect.set(crypto, 'createDecipheriv', (name: unknown, ...given: unknown[]) =>
    Reflect.apply(createDecipheriv, crypto, [lower(name), ...given]),
  );
  tolerant = crypto;
  return crypto;
}

/** The global `crypto` of rules: node's module as it was when they were written. */
export function historicCrypto(): object {
  const crypto = nodeCrypto();
  historic ??= Object.assign(Object.create(crypto), {
    createCipheriv: (name: string, key: unknown, iv: unknown, options?: object) =>
      Reflect.apply(crypto.createCipheriv, crypto, [name, latin1(key), latin1(iv), options]),
    createDecipheriv: (name: string, key: unknown, iv: unknown, options?: object) =>
      Reflect.apply(crypto.createDecipheriv, crypto, [name, latin1(key), latin1(iv), options]),
    createCipher(name: string, password: unknown) {
      const { algorithm, key, iv } = fromPassword(crypto, name, password);
      return crypto.createCipheriv(algorithm, key, iv);
    },
    createDecipher(name: string, password: unknown) {
      const { algorithm, key, iv } = fromPassword(crypto, name, password);
      return crypto.createDecipheriv(algorithm, key, iv);
    },
  });
  return Object(historic);
}

/** Strings meant bytes, one a character. */
function latin1(given: unknown): unknown {
  return typeof given === 'string' ? Buffer.from(given, 'latin1') : given;
}

/** OpenSSL's EVP_BytesToKey with MD5, one round and no salt: what createCipher did until Node 22 dropped it. */
function fromPassword(crypto: typeof Crypto, name: string, password: unknown) {
  const known = crypto.getCipherInfo(String(name).toLowerCase());
  if (!known) throw new Error(`Unknown cipher ${name}.`);
  const { name: algorithm, keyLength, ivLength = 0 } = known;
  const secret = Buffer.from(latin1(password) as Buffer);
  let derived = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (derived.length < keyLength + ivLength) {
    last = crypto.createHash('md5').update(last).update(secret).digest();
    derived = Buffer.concat([derived, last]);
  }
  const iv = ivLength === 0 ? null : derived.subarray(keyLength, keyLength + ivLength);
  return { algorithm, key: derived.subarray(0, keyLength), iv };
}
