import type { Log } from '../../kit/log.ts';

export interface BackgroundLimits {
  /** How many may be under way; whoever comes then is told. */
  readonly most: number;
  /** How many of them may be one tenant's: slow code of a few leaves room for the others'. */
  readonly mostOfTenant: number;
  /** How long the end of the server waits for them. */
  readonly patienceMs: number;
  /** How long it waits for what they have to say once their containers are ended. */
  readonly lastWordsMs: number;
}

export type Background = ReturnType<typeof createBackground>;
/** Why nothing was begun. */
export type NotBegun = 'busy' | 'stopping';

/** What nobody waits for: triggers after a commit. It survives no end of the process, but none of it goes without a word. */
export function createBackground({ log, limits }: { readonly log: Log; readonly limits?: Partial<BackgroundLimits> }) {
  const { most, mostOfTenant, patienceMs, lastWordsMs } = { ...LIMITS, ...limits };
  const running = new Map<Promise<void>, { readonly tenantId: string; readonly name: string }>();
  const ofTenants = new Map<string, number>();
  let isStopped = false;

  function count(tenantId: string, change: 1 | -1): void {
    const left = (ofTenants.get(tenantId) ?? 0) + change;
    if (left > 0) ofTenants.set(tenantId, left);
    else ofTenants.delete(tenantId);
  }

  return {
    /** Undefined where it was begun. `name` is how it is called where it comes to no end. */
    begin(tenantId: string, name: string, work: () => Promise<void>): NotBegun | undefined {
      if (isStopped) return 'stopping';
      if (running.size >= most || (ofTenants.get(tenantId) ?? 0) >= mostOfTenant) return 'busy';
      count(tenantId, 1);
      const promise = work()
        .catch((error: unknown) => log.error('a trigger in the background failed', { error, tenant: tenantId, name }))
        .finally(() => {
          running.delete(promise);
          count(tenantId, -1);
        });
      running.set(promise, { tenantId, name });
      return undefined;
    },

    /** Begins nothing any more, and waits for what is under way; what still runs then ends with its container. */
    async stop(): Promise<void> {
      isStopped = true;
      await within(patienceMs, [...running.keys()]);
    },

    /** When the containers are ended: each that lost its own records that. What can't even do so is told to the operator. */
    async finish(): Promise<void> {
      await within(lastWordsMs, [...running.keys()]);
      for (const { tenantId, name } of running.values())
        log.error('a trigger in the background was lost at the end of the server', { tenant: tenantId, name });
    },
  };
}

/** After requests had six seconds to end, and within ten in all. */
const LIMITS: BackgroundLimits = { most: 1_000, mostOfTenant: 200, patienceMs: 3_000, lastWordsMs: 500 };

async function within(milliseconds: number, work: readonly Promise<void>[]): Promise<void> {
  let patience: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    patience = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.all(work), timeUp]);
  clearTimeout(patience);
}
