import { type HashProcess, startHashProcess } from './hash-process.ts';

/** Two: one that is hashed and one that waits in the child, so that it never idles while the server is busy elsewhere. */
const REQUESTS_IN_FLIGHT = 2;

/** The children that hash: started with the first work, as many as the work needs, ended when idle. */
export function createHashProcesses(settings: { limit: number; idleMs: number; jobTimeoutMs: number }) {
  const living = new Set<HashProcess>();
  const ending = new Set<Promise<void>>();
  let idle: NodeJS.Timeout | undefined;

  /** A child with room: an idle one, else a new one, else the least busy; undefined when all are full. */
  function ready(): HashProcess | undefined {
    restartIdleClock();
    const best = leastBusy();
    if (best !== undefined && (best.load() === 0 || living.size >= settings.limit)) {
      return best.load() < REQUESTS_IN_FLIGHT ? best : undefined;
    }
    const started = startHashProcess({
      jobTimeoutMs: settings.jobTimeoutMs,
      onEnd: (self) => living.delete(self),
    });
    living.add(started);
    return started;
  }

  function leastBusy(): HashProcess | undefined {
    let best: HashProcess | undefined;
    for (const process of living) if (best === undefined || process.load() < best.load()) best = process;
    return best;
  }

  function restartIdleClock(): void {
    clearTimeout(idle);
    idle = setTimeout(endIdle, settings.idleMs).unref();
  }

  function endIdle(): void {
    for (const process of living) if (process.load() === 0) endOne(process);
    if (living.size > 0) restartIdleClock();
  }

  function endOne(process: HashProcess): void {
    living.delete(process);
    const end = process.end().finally(() => ending.delete(end));
    ending.add(end);
  }

  async function end(): Promise<void> {
    clearTimeout(idle);
    for (const process of living) endOne(process);
    await Promise.all(ending);
  }

  function ids(): number[] {
    return [...living].flatMap(({ pid }) => pid ?? []);
  }

  return { ready, end, ids };
}
