import type { Log } from '../../kit/log.ts';

interface Parts {
  readonly log: Log;
  /** How many may be under way; whoever comes then is told. */
  readonly most?: number;
  /** How many of them may be one tenant's: slow code of a few leaves room for the others'. */
  readonly mostOfTenant?: number;
  /** How long the end of the server waits for them. */
  readonly patienceMs?: number;
}

export type Background = ReturnType<typeof createBackground>;

/** What nobody waits for: triggers after a commit. It survives no end of the process. */
export function createBackground({ log, most = 1_000, mostOfTenant = 200, patienceMs = 5_000 }: Parts) {
  const running = new Set<Promise<void>>();
  const ofTenants = new Map<string, number>();
  let isStopped = false;

  function count(tenantId: string, change: 1 | -1): void {
    const left = (ofTenants.get(tenantId) ?? 0) + change;
    if (left > 0) ofTenants.set(tenantId, left);
    else ofTenants.delete(tenantId);
  }

  return {
    /** False where there is no room: nothing was begun. */
    begin(tenantId: string, work: () => Promise<void>): boolean {
      if (isStopped || running.size >= most || (ofTenants.get(tenantId) ?? 0) >= mostOfTenant) return false;
      count(tenantId, 1);
      const promise = work()
        .catch((error: unknown) => log.error('a trigger in the background failed', { error }))
        .finally(() => {
          running.delete(promise);
          count(tenantId, -1);
        });
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
