import { describe, expect, it } from 'vitest';
import { ADA, guarded, NOW } from '../../test/guarded.ts';
import type { Verdict } from '../entries/entry.ts';

const REVOKED: Verdict = { active: false, reason: 'revoked' };

describe('a guard', () => {
  it('asks about a token once, and serves the next requests from the cache', async () => {
    const { guard, asked } = guarded();
    const granted = {
      outcome: 'granted',
      user: ADA.user,
      permissions: ['read:venues'],
      expiresAt: NOW + 600,
    };
    expect(await guard.check('Bearer at')).toEqual(granted);
    expect(await guard.check('bearer at')).toEqual(granted);
    expect(asked).toEqual(['at']);
    expect(guard.stats()).toMatchObject({ hits: 1, misses: 1, asked: 1, granted: 2 });
  });

  it('asks once, however many requests wait for the same token', async () => {
    const { guard, asked, outcome } = guarded();
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => outcome()));
    expect(new Set(outcomes)).toEqual(new Set(['granted']));
    expect(asked).toHaveLength(1);
    expect(guard.stats()).toMatchObject({ misses: 1_000, asked: 1 });
  });

  it('mixes no tokens up, and no APIs', async () => {
    const { guard, cache, asked } = guarded();
    const another = guarded({ cache, audience: 'https://users' }, REVOKED);
    const outcomes = [
      await guard.checkToken('one'),
      await guard.checkToken('two'),
      await another.guard.checkToken('one'),
    ];
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['granted', 'granted', 'refused']);
    expect(asked).toEqual(['one', 'two']);
  });

  it('refuses a token that was revoked after maxStale at the latest', async () => {
    const { outcome, serviceSays, later } = guarded({ maxStaleSeconds: 60 });
    await outcome();
    serviceSays(REVOKED);
    later(59.9);
    expect(await outcome()).toBe('granted');
    later(0.1);
    expect(await outcome()).toBe('refused');
  });

  it('counts the age of a verdict from the question, since what was revoked meanwhile is not in it', async () => {
    const { outcome, serviceSays, later, asked } = guarded();
    serviceSays(async () => {
      later(4);
      return ADA;
    });
    await outcome();
    later(56);
    await outcome();
    expect(asked).toHaveLength(2);
  });

  it('refuses an expired token though its verdict is fresh, without a question', async () => {
    const { guard, outcome, asked, later, changeEntry } = guarded({}, { ...ADA, expiresAt: NOW + 30 });
    await changeEntry('at', () => ({ session: { endsAt: NOW + 3_600 } }));
    await outcome();
    later(29);
    expect(await outcome()).toBe('granted');
    later(1);
    expect(await guard.checkToken('at')).toMatchObject({ outcome: 'refused', reason: 'expired' });
    expect(asked).toHaveLength(1);
  });

  it('keeps nothing of a token longer than the token lasts', async () => {
    const { outcome, cache, entries, later } = guarded({}, { ...ADA, expiresAt: NOW + 30 });
    await outcome();
    expect(await cache.get(entries.keyOf('at'))).toBeDefined();
    later(30);
    expect(await cache.get(entries.keyOf('at'))).toBeUndefined();
  });

  it.each([
    ['refuses a token two minutes late by its own clock', 0, 'refused'],
    ['takes it where it is told that clocks differ so much', 121, 'granted'],
  ])('%s', async (_what, clockToleranceSeconds, expected) => {
    const { outcome } = guarded({ clockToleranceSeconds }, { ...ADA, expiresAt: NOW - 120 });
    expect(await outcome()).toBe(expected);
  });

  it('takes no verdict of a clock that is two minutes ahead, and one of five seconds', async () => {
    const { changeEntry, outcome, asked } = guarded();
    await changeEntry('near', () => ({ verdict: { ...ADA, checkedAt: NOW + 5 } }));
    await changeEntry('far', () => ({ verdict: { ...ADA, checkedAt: NOW + 120 } }));
    expect([await outcome('near'), await outcome('far'), await outcome('far')]).toEqual(Array(3).fill('granted'));
    expect(asked).toEqual(['far']);
  });

  it('refuses a refused token for five seconds, and then asks again', async () => {
    const { guard, outcome, serviceSays, later, asked } = guarded({}, REVOKED);
    expect(await guard.checkToken('at')).toMatchObject({ outcome: 'refused', reason: 'revoked' });
    serviceSays(ADA);
    later(4.9);
    expect(await outcome()).toBe('refused');
    expect(asked).toHaveLength(1);
    later(0.1);
    expect(await outcome()).toBe('granted');
  });

  it('takes a token of no known end as long as the service says so', async () => {
    const { outcome, later, asked } = guarded({}, { active: true, user: { sub: 'ada' }, permissions: [] });
    expect(await outcome()).toBe('granted');
    later(60);
    expect(await outcome()).toBe('granted');
    expect(asked).toHaveLength(2);
  });

  it('gives no handler a user that it could change for the next one', async () => {
    const { guard } = guarded();
    for (const from of ['service', 'cache']) {
      const decision = await guard.checkToken('at');
      if (decision.outcome !== 'granted') throw new Error(from);
      expect(() => Object.assign(decision.user, { isAdmin: true }), from).toThrow(TypeError);
      expect(() => Object.assign(decision.permissions, ['admin']), from).toThrow(TypeError);
    }
  });

  it('hears at once what another service wrote of the token', async () => {
    const { guard, outcome, changeEntry } = guarded();
    expect([await outcome(), await outcome()]).toEqual(['granted', 'granted']);
    await changeEntry('at', (entry) => ({ ...entry, verdict: { ...REVOKED, checkedAt: NOW } }));
    expect(await guard.checkToken('at')).toMatchObject({ outcome: 'refused', reason: 'revoked' });
  });

  it('hears at once that an entry is gone', async () => {
    const { outcome, cache, entries, asked } = guarded();
    expect([await outcome(), await outcome()]).toEqual(['granted', 'granted']);
    await cache.delete(entries.keyOf('at'));
    await outcome();
    expect(asked).toHaveLength(2);
  });

  it('asks each time where it may keep nothing', async () => {
    const { outcome, asked } = guarded({ maxStaleSeconds: 0 });
    await outcome();
    await outcome();
    expect(asked).toHaveLength(2);
  });
});

describe('the entry of a session', () => {
  const session = { endsAt: NOW + 86_400, refreshToken: 'refresh-me' };

  it('is no verdict: its token is asked about, and the session stays as it is', async () => {
    const { outcome, asked, changeEntry } = guarded();
    await changeEntry('at', () => ({ session }));
    expect(await outcome()).toBe('granted');
    expect(asked).toHaveLength(1);
    expect(await changeEntry('at', () => undefined)).toEqual({ session, verdict: { ...ADA, checkedAt: NOW } });
  });

  it('outlives a verdict that is too old', async () => {
    const { outcome, serviceSays, later, changeEntry } = guarded();
    await changeEntry('at', () => ({ session }));
    await outcome();
    later(3_600);
    serviceSays({ active: false, reason: 'expired' });
    expect(await outcome()).toBe('refused');
    expect((await changeEntry('at', () => undefined)).session).toEqual(session);
  });
});
