import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { createChangeEntry } from './change-entry.ts';
import type { StoredSession, StoredVerdict } from './entry.ts';
import { createSealedEntries } from './seal-entry.ts';

const NOW = 1_800_000_000;
const entries = createSealedEntries({ secret: 's'.repeat(32), issuer: 'https://dev.example/', audience: 'api' });
const session: StoredSession = { endsAt: NOW + 3600, refreshToken: 'refresh-me' };
const verdict: StoredVerdict = { active: true, checkedAt: NOW, user: { sub: 'ada' }, permissions: [] };

function setUp() {
  let time = NOW * 1000;
  const cache = createMemoryCache({ now: () => time });
  const change = createChangeEntry({ cache, entries, verdictSeconds: 60, now: () => NOW * 1000 });
  const read = () => change('at', () => undefined);
  const later = (seconds: number) => {
    time += seconds * 1000;
  };
  return { cache, change, read, later };
}

describe('a change of an entry', () => {
  it('begins with nothing', async () => {
    const { change, read } = setUp();
    await change('at', (entry) => ({ ...entry, verdict }));
    expect(await read()).toEqual({ verdict });
  });

  it('of the guard and one of the broker at once lose nothing', async () => {
    const { change, read } = setUp();
    await Promise.all([
      change('at', (entry) => ({ ...entry, verdict })),
      change('at', (entry) => ({ ...entry, session })),
    ]);
    expect(await read()).toEqual({ verdict, session });
  });

  it('is made once by each of many at once', async () => {
    const { change, read } = setUp();
    const add = () =>
      change('at', (entry) => ({ session: { ...session, endsAt: (entry.session?.endsAt ?? NOW) + 1 } }));
    await Promise.all(Array.from({ length: 5 }, add));
    expect((await read()).session?.endsAt).toBe(NOW + 5);
  });

  it('gives up where others are always faster', async () => {
    const { cache, change } = setUp();
    let writes = 0;
    const contended = createChangeEntry({
      cache: {
        ...cache,
        async add(key, value, lifetime) {
          await cache.set(key, `${++writes}`, lifetime);
          return cache.add(key, value, lifetime);
        },
        async replace(key, value, lifetime, version) {
          await cache.set(key, `${++writes}`, lifetime);
          return cache.replace(key, value, lifetime, version);
        },
      },
      entries,
    });
    await expect(contended('at', () => ({ verdict }))).rejects.toMatchObject({ code: 'entry_contended' });
    expect(writes).toBe(10);
    expect(await change('at', () => ({ verdict }))).toEqual({ verdict });
  });

  it('overwrites what nobody sealed for this token', async () => {
    const { cache, change, read } = setUp();
    const ofAnother = entries.seal('other', { verdict: { ...verdict, user: { sub: 'mallory' } } });
    await cache.set(entries.keyOf('at'), ofAnother, 60);
    await change('at', (entry) => ({ ...entry, session }));
    expect(await read()).toEqual({ session });
  });

  it.each([
    ['a verdict as long as it is of use', { verdict }, 60],
    ['a verdict no longer than its token', { verdict: { ...verdict, expiresAt: NOW + 20 } }, 20],
    ['a refusal for a few seconds', { verdict: { active: false as const, reason: 'unknown', checkedAt: NOW } }, 5],
    ['a session as long as its refresh token, whatever the verdict', { verdict, session }, 3600],
    ['a session of a year for the thirty days that memcached can keep it', { session: { endsAt: NOW + 3e7 } }, 2592000],
    ['what is over for a second', { session: { endsAt: NOW - 5 } }, 1],
  ])('keeps %s', async (_what, entry, seconds) => {
    const { change, read, later } = setUp();
    await change('at', () => entry);
    later(seconds - 0.001);
    expect(await read()).toEqual(entry);
    later(0.001);
    expect(await read()).toEqual({});
  });
});
