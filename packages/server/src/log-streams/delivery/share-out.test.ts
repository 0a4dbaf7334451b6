import { describe, expect, it } from 'vitest';
import { countToLeave, isPoor } from './share-out.ts';

describe('sharing streams out', () => {
  it.each([
    { held: { a: 4 }, askers: ['b'], leave: { a: 2 } },
    { held: { a: 5 }, askers: ['b'], leave: { a: 2 } },
    { held: { a: 3, b: 3, c: 1 }, askers: ['c'], leave: { a: 1, b: 0 } },
    { held: { a: 10, b: 2 }, askers: ['c'], leave: { a: 5, b: 0 } },
    { held: { a: 9 }, askers: ['b', 'c'], leave: { a: 6 } },
    { held: { a: 1 }, askers: ['b'], leave: { a: 0 } },
    { held: { a: 7, b: 1 }, askers: [], leave: { a: 0, b: 0 } },
    { held: {}, askers: ['a'], leave: { a: 0 } },
  ])('of $held, to $askers: $leave are left', ({ held, askers, leave }) => {
    const counts = new Map(Object.entries(held as Record<string, number>));
    for (const [owner, count] of Object.entries(leave))
      expect(countToLeave(owner, { held: counts, askers })).toBe(count);
  });

  it('is asked for by who has two fewer than another', () => {
    const held = new Map([['a', 3]]);
    expect([isPoor('a', held), isPoor('b', held), isPoor('b', held.set('b', 2))]).toEqual([false, true, false]);
    expect(isPoor('a', new Map())).toBe(false);
  });
});
