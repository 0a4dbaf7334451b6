import type { Log } from '../../kit/log.ts';

interface Parts {
  readonly log: Log;
  /** How many may be under way; whoever comes then is told. */
  readonly most?: number;
  /** How long the end of the server waits for them. */
  readonly patienceMs?: number;
}

export type Background = ReturnType<typeof createBackground>;

/** What nobody waits for: triggers after a commit. It survives no end of the process. */
export function createBackground({ log, most = 1_000, patienceMs = 5_000 }: Parts) {
  const running = new Set<Promise<void>>();
  let isStopped = false;

  return {
    /** False where there is no room: nothing was begun. */
    begin(work: () => Promise<void>): boolean {
      if (isStopped || running.size >= most) return false;
      const promise = work()
        .catch((error: unknown) => log.error('a trigger in the background failed', { error }))
        .finally(() => running.delete(promise));
      running.add(promise);
      return true;
    },
    async stop(): Promise<void> {
      isStopped = true;
      let patience: NodeJS.Timeout | undefined;
      const timeUp = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, patienceMs);
      });
      await Promise.race([Promise.all(running), timeUp]);
      clearTimeout(patience);
    },
  };
}
