import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import bcrypt from 'bcrypt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { argon2idHash } from './formats/argon2.ts';
import { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from './password-hasher.ts';

const PASSWORD = 'Ünïcode 密码 🔑 pässwörd';
const hashers: PasswordHasher[] = [];

function start(options: PasswordHasherOptions = { workers: 1 }): PasswordHasher {
  const hasher = createPasswordHasher(options);
  hashers.push(hasher);
  return hasher;
}

afterEach(async () => {
  await Promise.all(hashers.splice(0).map((hasher) => hasher.stop()));
});

describe('checking a password', () => {
  it('knows the right one, in any script, and no other', async () => {
    const hasher = start();
    const stored = await hasher.hash('acme', PASSWORD);
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.verify('acme', PASSWORD, stored)).toEqual({ valid: true, outdated: false });
    expect(await hasher.verify('acme', PASSWORD.normalize('NFD'), stored)).toMatchObject({ valid: false });
    expect(await hasher.verify('acme', `${PASSWORD} `, stored)).toMatchObject({ valid: false });
  });

  it('says no where no hash is stored, after the same work', async () => {
    expect(await start().verify('acme', PASSWORD, undefined)).toEqual({ valid: false, outdated: false });
  });

  it.each(['$2a$', '$2b$', '$2y$'])(
    'knows a bcrypt hash that begins with %s and asks for a new one',
    async (prefix) => {
      const hasher = start();
      const stored = bcrypt.hashSync(PASSWORD, 4).replace('$2b$', prefix);
      expect(await hasher.verify('acme', PASSWORD, stored)).toEqual({ valid: true, outdated: true });
      expect(await hasher.verify('acme', 'wrong', stored)).toMatchObject({ valid: false });
    },
  );

  it('reads a long password for bcrypt as its maker did: 72 bytes', async () => {
    const hasher = start();
    const stored = bcrypt.hashSync('é'.repeat(36), 4).replace('$2b$', '$2a$');
    expect(await hasher.verify('acme', 'é'.repeat(200), stored)).toEqual({ valid: true, outdated: true });
    expect(await hasher.verify('acme', 'é'.repeat(35), stored)).toMatchObject({ valid: false });
  });

  it.each([
    [
      'hostile parameters',
      '$argon2id$v=19$m=4194304,t=2,p=1$8vKxQmZ0Yy1nR3hB5dWc7g$u0mTz4WnKqYh1eXo9sPb6vJcRf2LgAiD8tZkN3yQw5E',
    ],
    [
      'damaged base64',
      '$argon2id$v=19$m=19456,t=2,p=1$8vKxQmZ0Yy1nR3hB5dWc7h$u0mTz4WnKqYh1eXo9sPb6vJcRf2LgAiD8tZkN3yQw5F',
    ],
    ['an unknown format', 'md5:5f4dcc3b5aa765d61d8327deb882cf99'],
    ['an empty text', ''],
  ])('says no to a stored hash with %s', async (_, stored) => {
    const hasher = start();
    expect(await hasher.verify('acme', 'password', stored)).toMatchObject({ valid: false });
    expect(hasher.processIds()).toHaveLength(1);
  });

  it.each([
    ['nothing', ''],
    ['NUL', 'secret\0anything'],
    ['a lone surrogate', 'secret\ud800'],
    ['more than 1,024 bytes', 'é'.repeat(513)],
  ])('refuses %s as a password', async (_, password) => {
    const hasher = start();
    await expect(hasher.hash('acme', password)).rejects.toMatchObject({ status: 400, code: 'invalid_password' });
    const stored = argon2idHash(password.toWellFormed());
    expect(await hasher.verify('acme', password, stored)).toEqual({ valid: false, outdated: false });
  });

  it('tells the whole length of a password apart', async () => {
    const hasher = start();
    const stored = await hasher.hash('acme', 'é'.repeat(512));
    expect(await hasher.verify('acme', 'é'.repeat(512), stored)).toMatchObject({ valid: true });
    expect(await hasher.verify('acme', `${'é'.repeat(511)}e`, stored)).toMatchObject({ valid: false });
  });
});

describe('many logins at once', () => {
  it('gives a tenant its turn while another one storms', async () => {
    const hasher = start();
    const order: string[] = [];
    const login = (tenantId: string) => hasher.verify(tenantId, PASSWORD, undefined).then(() => order.push(tenantId));
    await Promise.all(['storm', 'storm', 'storm', 'storm', 'storm', 'storm', 'calm', 'calm'].map(login));
    // The first two were in the child already.
    expect(order.join(' ')).toBe('storm storm storm calm storm calm storm storm');
  });

  it('refuses what does not fit and says when to come again', async () => {
    const hasher = start({ workers: 1, queueLimit: 2 });
    const logins = Array.from({ length: 6 }, () => hasher.verify('acme', PASSWORD, undefined));
    const outcomes = await Promise.allSettled(logins);
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), ...Array(2).fill('rejected')]);
    await expect(logins[5]).rejects.toMatchObject({
      status: 429,
      code: 'too_many_requests',
      headers: { 'Retry-After': '1' },
    });
  });

  it('keeps room for a tenant in need when another one has filled the queue', async () => {
    const hasher = start({ workers: 1, queueLimit: 2 });
    const storm = Array.from({ length: 4 }, () => hasher.verify('storm', PASSWORD, undefined));
    const outcomes = Promise.allSettled(storm);
    await expect(hasher.verify('calm', PASSWORD, undefined)).resolves.toMatchObject({ valid: false });
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  });

  it('looks an account up only when its turn is near, so that a storm reaches the hash and nothing else', async () => {
    const hasher = start({ workers: 1 });
    const stored = await hasher.hash('acme', PASSWORD);
    let answered = 0;
    let furthest = 0;
    const logins = Array.from({ length: 8 }, async (_, index) => {
      const verdict = await hasher.verify('acme', PASSWORD, async () => {
        furthest = Math.max(furthest, index - answered);
        return stored;
      });
      answered++;
      return verdict.valid;
    });
    expect(await Promise.all(logins)).toEqual(Array(8).fill(true));
    expect(furthest).toBeLessThanOrEqual(3);
  });

  it('refuses one login whose account can not be looked up, and serves the next', async () => {
    const hasher = start({ workers: 1 });
    const failed = Array.from({ length: 3 }, () =>
      hasher.verify('acme', PASSWORD, () => Promise.reject(new Error('The database is away.'))),
    );
    const next = hasher.verify('acme', PASSWORD, undefined);
    for (const login of failed) await expect(login).rejects.toThrow('The database is away.');
    expect(await next).toMatchObject({ valid: false });
  });

  it('uses no more processes than it may', async () => {
    const hasher = start({ workers: 2 });
    await Promise.all(Array.from({ length: 10 }, () => hasher.verify('acme', PASSWORD, undefined)));
    expect(hasher.processIds()).toHaveLength(2);
  });
});

describe('the hash processes', () => {
  it('start with the first password and end when idle', async () => {
    const hasher = start({ workers: 2, idleMs: 20 });
    expect(hasher.processIds()).toEqual([]);
    await hasher.verify('acme', PASSWORD, undefined);
    await vi.waitFor(() => expect(hasher.processIds()).toEqual([]), { timeout: 60_000 });
    await expect(hasher.verify('acme', PASSWORD, undefined)).resolves.toMatchObject({ valid: false });
  });

  it('answer although one is killed in the middle of its work', async () => {
    const hasher = start();
    const stored = bcrypt.hashSync(PASSWORD, 12);
    await hasher.verify('acme', PASSWORD, undefined);
    const [first] = hasher.processIds();
    const logins = [1, 2, 3].map(() => hasher.verify('acme', PASSWORD, stored));
    process.kill(first ?? 0, 'SIGKILL');
    expect(await Promise.all(logins)).toEqual(Array(3).fill({ valid: true, outdated: true }));
    expect(hasher.processIds()).not.toContain(first);
  });

  it('give up a password that hangs twice, and go on with others', async () => {
    const hasher = start({ workers: 1, jobTimeoutMs: 5 });
    await expect(hasher.hash('acme', PASSWORD)).rejects.toMatchObject({ status: 503 });
    expect(hasher.processIds()).toEqual([]);
  });

  it('are gone after stop, and what waited is refused', async () => {
    const hasher = start({ workers: 2 });
    await hasher.verify('acme', PASSWORD, undefined);
    const waiting = Promise.allSettled(Array.from({ length: 9 }, () => hasher.hash('acme', PASSWORD)));
    const ids = hasher.processIds();
    expect(ids).toHaveLength(2);
    await hasher.stop();
    for (const { status } of await waiting) expect(status).toBe('rejected');
    for (const id of ids) expect(() => process.kill(id, 0)).toThrow('ESRCH');
    await expect(hasher.hash('acme', PASSWORD)).rejects.toMatchObject({ status: 503 });
    await hasher.stop();
  });

  it('yield to the server, and see nothing of its environment', async () => {
    vi.stubEnv('GATEWRIGHT_SECRET', 'not-for-children');
    const hasher = start();
    await hasher.verify('acme', PASSWORD, undefined);
    vi.unstubAllEnvs();
    const [id = 0] = hasher.processIds();
    expect(getPriority(id)).toBe(10);
    if (process.platform !== 'linux') return;
    expect(readFileSync(`/proc/${id}/environ`, 'utf8')).not.toContain('not-for-children');
    expect(readFileSync(`/proc/${id}/cmdline`, 'utf8')).not.toContain('pässwörd');
  });
});
