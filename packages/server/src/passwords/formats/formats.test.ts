import { describe, expect, it } from 'vitest';
import { DUMMY_HASH } from './argon2.ts';
import { readStoredHash } from './formats.ts';

const TAIL = '$8vKxQmZ0Yy1nR3hB5dWc7g$u0mTz4WnKqYh1eXo9sPb6vJcRf2LgAiD8tZkN3yQw5E';
const BCRYPT_TAIL = 'fZSvveo0rslUXGdu5QSn0ehwUstbhNf4qyE1q0Au4BBZO9/inRN8W';

describe('reading a stored hash', () => {
  it.each([
    ['what we make', DUMMY_HASH, 'argon2', false],
    ['argon2id with more memory', `$argon2id$v=19$m=65536,t=3,p=4${TAIL}`, 'argon2', true],
    ['argon2i', `$argon2i$v=19$m=19456,t=2,p=1${TAIL}`, 'argon2', true],
    ['argon2d of the older version', `$argon2d$v=16$m=4096,t=3,p=1${TAIL}`, 'argon2', true],
    ['bcrypt $2a$', `$2a$10$${BCRYPT_TAIL}`, 'bcrypt', true],
    ['bcrypt $2b$', `$2b$12$${BCRYPT_TAIL}`, 'bcrypt', true],
    ['bcrypt $2y$', `$2y$04$${BCRYPT_TAIL}`, 'bcrypt', true],
  ])('accepts %s', (_, stored, format, outdated) => {
    const read = readStoredHash(stored);
    expect([read?.format.name, read?.outdated]).toEqual([format, outdated]);
  });

  it.each([
    ['argon2 with 4 GB', `$argon2id$v=19$m=4194304,t=2,p=1${TAIL}`],
    ['argon2 just over the limit', `$argon2id$v=19$m=65537,t=2,p=1${TAIL}`],
    ['argon2 with a billion passes', `$argon2id$v=19$m=19456,t=1000000000,p=1${TAIL}`],
    ['argon2 with 255 lanes', `$argon2id$v=19$m=19456,t=2,p=255${TAIL}`],
    ['argon2 without memory', `$argon2id$v=19$m=0,t=2,p=1${TAIL}`],
    ['argon2 without passes', `$argon2id$v=19$m=19456,t=0,p=1${TAIL}`],
    ['argon2 without lanes', `$argon2id$v=19$m=19456,t=2,p=0${TAIL}`],
    ['a parameter twice', `$argon2id$v=19$m=19456,m=1,t=2,p=1${TAIL}`],
    ['bcrypt of cost 31', `$2b$31$${BCRYPT_TAIL}`],
    ['bcrypt of cost 13', `$2b$13$${BCRYPT_TAIL}`],
    ['bcrypt of cost 3', `$2b$03$${BCRYPT_TAIL}`],
    ['a cut bcrypt hash', `$2b$10$${BCRYPT_TAIL.slice(1)}`],
    ['the flawed $2x$', `$2x$10$${BCRYPT_TAIL}`],
    ['a plain password', 'secret'],
    ['nothing', ''],
    ['a megabyte', '$2b$10$'.repeat(150_000)],
  ])('refuses %s without hashing', (_, stored) => {
    expect(readStoredHash(stored)).toBeUndefined();
  });
});
