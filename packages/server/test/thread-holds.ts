/** Ends the measurement: so long, in milliseconds, or shorter were that many of a hundred holds. */
export type EndOfHolds = () => (percent: number) => number;

/**
 * How long this thread worked between two looks at what else there is to do, in CPU time: what other processes take of its
 * core is none of its doing.
 */
export function measureHolds(): EndOfHolds {
  const holds: number[] = [];
  let last = cpuMilliseconds();
  const look = () => {
    const now = cpuMilliseconds();
    holds.push(now - last);
    last = now;
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    const sorted = holds.toSorted((a, b) => a - b);
    return (percent) => sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0;
  };
}

function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
