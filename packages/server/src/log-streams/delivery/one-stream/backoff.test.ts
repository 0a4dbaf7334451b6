import { describe, expect, it } from 'vitest';
import { delayAfter } from './backoff.ts';

const MINUTE = 60_000;

describe('the wait after a failure', () => {
  it('doubles from one second to five minutes, and is any time up to that', () => {
    const longest = [1, 2, 3, 9, 10, 1_000].map((failures) => delayAfter(failures, { verdict: 'retry' }, () => 1));
    expect(longest).toEqual([1_000, 2_000, 4_000, 256_000, 5 * MINUTE, 5 * MINUTE]);
    expect(delayAfter(10, { verdict: 'retry' }, () => 0)).toBe(0);
  });

  it('is what the receiver asks for, an hour at most', () => {
    const ask = (retryAfterMilliseconds: number) =>
      delayAfter(1, { verdict: 'throttle', retryAfterMilliseconds }, () => 0);
    expect([ask(90_000), ask(60 * MINUTE), ask(24 * 60 * MINUTE)]).toEqual([90_000, 60 * MINUTE, 60 * MINUTE]);
  });

  it('is longer where only an operator can mend it, but for the first time', () => {
    const held = (failures: number) => delayAfter(failures, { verdict: 'hold' }, () => 0);
    expect([held(1), held(2)]).toEqual([0, 15_000]);
  });
});
