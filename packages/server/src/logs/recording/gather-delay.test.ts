import { describe, expect, it } from 'vitest';
import { createGatherDelay } from './gather-delay.ts';

describe('createGatherDelay', () => {
  it('never makes a client wait that sends one request after another', () => {
    const delay = createGatherDelay(5);
    for (let now = 0; now < 1_000; now += 2) {
      expect(delay.next(now)).toBe(0);
      delay.flushed(1, false, now);
    }
  });

  it('waits while batches are large, and stops when they are not', () => {
    const delay = createGatherDelay(5);
    delay.flushed(8, false, 0);
    expect(delay.next(1)).toBe(5);
    for (let batch = 1; batch < 10; batch++) delay.flushed(1, true, batch);
    expect(delay.next(11)).toBe(0);
  });

  it('tries a wait now and then where events overlap', () => {
    const delay = createGatherDelay(5);
    let waits = 0;
    for (let now = 0; now < 64; now++) {
      const waited = delay.next(now) > 0;
      if (waited) waits++;
      delay.flushed(2, waited, now);
    }
    expect(waits).toBeGreaterThan(0);
    expect(waits).toBeLessThan(8);
  });

  it('forgets a rush when the server has been quiet', () => {
    const delay = createGatherDelay(5);
    delay.flushed(8, false, 0);
    expect(delay.next(1_000)).toBe(0);
  });
});
