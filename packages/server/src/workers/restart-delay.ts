const FIRST_MILLISECONDS = 250;
const LONGEST_MILLISECONDS = 30_000;

/** How long to wait before a worker is replaced: not at all the first time, longer and longer when they keep dying. */
export const restartDelay = {
  /** A worker that lived this long died of something new. */
  settled: 60_000,
  /** `deaths` in a row, of workers that did not live long. */
  after(deaths: number): number {
    if (deaths < 2) return 0;
    return Math.min(LONGEST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** (deaths - 2));
  },
};
