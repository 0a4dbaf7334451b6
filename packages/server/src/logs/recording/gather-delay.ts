export interface GatherDelay {
  /** Milliseconds that a batch opened now should stay open. */
  next(now: number): number;
  /** Tells how many events a batch had when it was flushed, and whether it had waited for them. */
  flushed(rows: number, waited: boolean, now: number): void;
}

/** A batch this large is worth the wait: each event then costs less than half of a commit of its own. */
const WORTHWHILE = 2.5;
/** Where events overlap without batches growing, every so many batches one waits, to see whether company comes. */
const PROBE_EVERY = 16;

/**
 * Decides whether waiting for more events pays. It does under load from many clients; it does not for one client that sends
 * one request after another, or two: they would only wait for themselves.
 */
export function createGatherDelay(maxDelayMs: number): GatherDelay {
  let average = 0;
  let batchesWithoutWait = 0;
  let sawCompany = false;
  let lastFlush = Number.NEGATIVE_INFINITY;

  return {
    next(now) {
      if (now - lastFlush > 4 * maxDelayMs) average = 0;
      if (average >= WORTHWHILE) return maxDelayMs;
      if (!sawCompany || batchesWithoutWait < PROBE_EVERY) return 0;
      batchesWithoutWait = 0;
      sawCompany = false;
      return maxDelayMs;
    },

    flushed(rows, waited, now) {
      lastFlush = now;
      if (rows > 1) sawCompany = true;
      if (!waited) {
        batchesWithoutWait++;
        if (rows > WORTHWHILE) average = rows;
        return;
      }
      average = average === 0 ? rows : 0.7 * average + 0.3 * rows;
    },
  };
}
