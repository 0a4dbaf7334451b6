import { expect, it } from 'vitest';
import type { TokenCache } from '../src/caches/token-cache.ts';

export interface CacheUnderTest {
  readonly cache: () => TokenCache;
  /** Lets so many seconds pass for the cache. */
  readonly pass: (seconds: number) => Promise<void>;
  /** Another cache of the same kind, to be closed. */
  readonly another: () => TokenCache;
}

/** What every TokenCache does; call it inside a `describe`. */
export function itKeepsTheCacheContract({ cache, pass, another }: CacheUnderTest): void {
  let tests = 0;
  const newKey = () => `contract:${++tests}`;

  it('knows nothing that was not stored', async () => {
    expect(await cache().get(newKey())).toBeUndefined();
  });

  it.each([
    ['text', 'value'],
    ['nothing', ''],
    ['line breaks and words of the protocol', 'a\r\nEN\r\nVA 3 c1\r\nHD\r\n'],
    ['any script', 'Ἑλλάς 漢字 🔑\u0000'],
    ['nearly a megabyte', 'x'.repeat(1_000_000)],
  ])('gives back %s as it was stored', async (_what, value) => {
    const key = newKey();
    await cache().set(key, value, 60);
    const cached = await cache().get(key);
    expect(cached?.value === value).toBe(true);
  });

  it('keeps what is larger than a megabyte nowhere, and says so', async () => {
    const key = newKey();
    await expect(cache().set(key, '€'.repeat(333_334), 60)).rejects.toMatchObject({ code: 'cache_away' });
    expect(await cache().get(key)).toBeUndefined();
  });

  it('has a new version after each write, though the value is the same', async () => {
    const key = newKey();
    const versions = [];
    for (let write = 0; write < 3; write++) {
      await cache().set(key, 'same', 60);
      versions.push((await cache().get(key))?.version, (await cache().get(key))?.version);
    }
    expect(new Set(versions).size).toBe(3);
    await cache().delete(key);
    await cache().add(key, 'same', 60);
    expect(versions).not.toContain((await cache().get(key))?.version);
  });

  it('adds only where nothing is', async () => {
    const key = newKey();
    expect(await cache().add(key, 'first', 60)).toBe(true);
    expect(await cache().add(key, 'second', 60)).toBe(false);
    expect((await cache().get(key))?.value).toBe('first');
  });

  it('replaces what is still as it was read', async () => {
    const key = newKey();
    await cache().set(key, 'first', 60);
    const version = await versionOf(key);
    expect(await cache().replace(key, 'second', 60, version)).toBe('stored');
    expect(await cache().replace(key, 'third', 60, version)).toBe('changed');
    expect((await cache().get(key))?.value).toBe('second');
  });

  it('replaces nothing that is gone', async () => {
    const key = newKey();
    await cache().set(key, 'first', 60);
    const version = await versionOf(key);
    await cache().delete(key);
    expect(await cache().replace(key, 'second', 60, version)).toBe('missing');
    expect(await cache().get(key)).toBeUndefined();
  });

  it('replaces nothing for a version that it never gave', async () => {
    const key = newKey();
    await cache().set(key, 'first', 60);
    for (const version of ['', '0 T9', 'x', '18446744073709551615'])
      expect(await cache().replace(key, 'second', 60, version)).toBe('changed');
    expect((await cache().get(key))?.value).toBe('first');
  });

  it('lets one of many replace, and one of many add', async () => {
    const [replaced, added] = [newKey(), newKey()];
    await cache().set(replaced, 'first', 60);
    const version = await versionOf(replaced);
    const all = Array.from({ length: 20 }, (_, index) => `${index}`);
    const replacing = await Promise.all(all.map((value) => cache().replace(replaced, value, 60, version)));
    const adding = await Promise.all(all.map((value) => cache().add(added, value, 60)));
    expect(replacing.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    expect(adding.filter(Boolean)).toHaveLength(1);
  });

  it('forgets what is deleted, and minds no deletion of nothing', async () => {
    const key = newKey();
    await cache().set(key, 'value', 60);
    await cache().delete(key);
    await cache().delete(key);
    expect(await cache().get(key)).toBeUndefined();
  });

  it('forgets what is over, whichever write gave the lifetime', async () => {
    const keys = [newKey(), newKey(), newKey()] as const;
    await cache().set(keys[0], 'value', 1);
    await cache().add(keys[1], 'value', 1);
    await cache().set(keys[2], 'value', 60);
    await cache().replace(keys[2], 'value', 1, await versionOf(keys[2]));
    await pass(2);
    expect(await Promise.all(keys.map((key) => cache().get(key)))).toEqual([undefined, undefined, undefined]);
    expect(await cache().add(keys[0], 'again', 60)).toBe(true);
  });

  it.each([0, 0.9, -5, Number.NaN])('keeps nothing for %s seconds, nor what was there before', async (seconds) => {
    const key = newKey();
    await cache().set(key, 'value', 60);
    await cache().set(key, 'value', seconds);
    expect(await cache().get(key)).toBeUndefined();
  });

  it('keeps for 30 days what is to be kept longer', async () => {
    const key = newKey();
    await cache().set(key, 'value', 1e12);
    expect((await cache().get(key))?.value).toBe('value');
  });

  it.each([
    ['empty', ''],
    ['longer than 250 bytes', 'k'.repeat(251)],
    ['with a space', 'a b'],
    ['with a command in it', 'a\r\nflush_all\r\nmg b'],
    ['beyond ASCII', 'ключ'],
  ])('refuses a key that is %s', async (_what, key) => {
    const calls = [cache().get(key), cache().set(key, '', 9), cache().add(key, '', 9), cache().delete(key)];
    const outcomes = await Promise.allSettled([...calls, cache().replace(key, '', 9, '1')]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { name: 'TypeError' } });
  });

  it('answers a thousand calls at once, each its own', async () => {
    const keys = Array.from({ length: 1_000 }, newKey);
    await Promise.all(keys.map((key) => cache().set(key, `of ${key}`, 60)));
    const found = await Promise.all(keys.map((key) => cache().get(key)));
    expect(found.map((cached) => cached?.value)).toEqual(keys.map((key) => `of ${key}`));
  });

  it('is away once it is closed, which can be done twice', async () => {
    const closed = another();
    await closed.set('closed', 'value', 60);
    await closed.close();
    await closed.close();
    await expect(closed.get('closed')).rejects.toMatchObject({ code: 'cache_away' });
    await expect(closed.set('closed', 'value', 60)).rejects.toMatchObject({ code: 'cache_away' });
  });

  async function versionOf(key: string): Promise<string> {
    const cached = await cache().get(key);
    if (!cached) throw new Error(`There is nothing under ${key}.`);
    return cached.version;
  }
}
