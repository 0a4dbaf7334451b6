import { nodeCrypto } from './crypto.ts';

type Hashed = (error: unknown, hash?: string, salt?: string) => void;
type Verified = (error: unknown, isValid?: boolean) => void;

const ITERATIONS = 512;
const SALT_BYTES = 32;
const KEY_BYTES = 256;

/**
 * The global `pbkdf2`: hashes that easy-pbkdf2 wrote (that package has no licence). The salt is
 * `<iterations in hex>.<base64>`, and its second half counts as text, not as bytes.
 */
export const pbkdf2 = {
  generateSalt,
  secureHash: hash,
  hash,
  verify(salt: string, priorHash: unknown, value: string, verified: Verified): void {
    if (typeof priorHash !== 'string' || priorHash === '') {
      verified(new Error('priorHash is required (as String)'));
      return;
    }
    const prior = Buffer.from(priorHash, 'base64');
    hashTo(prior.length, value, salt, (error, computed) => {
      if (error) verified(error);
      else verified(null, nodeCrypto().timingSafeEqual(prior, Buffer.from(computed ?? '', 'base64')));
    });
  },
  random: (bytes: number) => nodeCrypto().randomBytes(bytes),
};

function generateSalt(...given: unknown[]): string | undefined {
  const [wanted] = given;
  const iterations =
    wanted === undefined || wanted === null || typeof wanted === 'function' ? ITERATIONS : Number(wanted);
  if (!Number.isInteger(iterations)) throw new Error('explicitIterations must be an integer');
  if (iterations < ITERATIONS) throw new Error(`explicitIterations cannot be less than ${ITERATIONS}`);
  const salt = `${iterations.toString(16)}.${nodeCrypto().randomBytes(SALT_BYTES).toString('base64')}`;
  const callback = given.find((one): one is (salt: string) => void => typeof one === 'function');
  if (!callback) return salt;
  setImmediate(() => callback(salt));
}

function hash(value: string, ...given: unknown[]): void {
  const hashed = given.find((one): one is Hashed => typeof one === 'function');
  if (!hashed) throw new Error('callback is required (as Function)');
  const [salt] = given;
  hashTo(KEY_BYTES, value, typeof salt === 'string' ? salt : String(generateSalt()), hashed);
}

function hashTo(bytes: number, value: unknown, salt: string, hashed: Hashed): void {
  if (typeof value !== 'string' || value === '') {
    hashed(new Error('value is required (as String)'));
    return;
  }
  const dot = salt.indexOf('.');
  const iterations = Number.parseInt(salt.slice(0, dot), 16);
  nodeCrypto().pbkdf2(value, salt.slice(dot + 1), iterations, bytes, 'sha1', (error, key) =>
    hashed(error, error ? undefined : key.toString('base64'), salt),
  );
}
