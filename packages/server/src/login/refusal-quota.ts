const MOST_A_MINUTE = 30;
const MINUTE = 60_000;

/** What stands in the event of a refusal: how many before it have none. */
export interface Counted {
  readonly unrecorded?: number;
}

/**
 * Refusals that anybody can cause by the thousand, without knowing anything: of a tenant's some are events, each minute and
 * in each process, and the others are a number in the next one. Undefined where there is to be no event.
 */
export function createRefusalQuota(now: () => Date) {
  let since = 0;
  const recorded = new Map<string, number>();
  const unrecorded = new Map<string, number>();

  return function count(tenantId: string): Counted | undefined {
    const time = now().getTime();
    if (time - since >= MINUTE) {
      since = time;
      recorded.clear();
    }
    const told = recorded.get(tenantId) ?? 0;
    const left = unrecorded.get(tenantId) ?? 0;
    if (told >= MOST_A_MINUTE) {
      unrecorded.set(tenantId, left + 1);
      return undefined;
    }
    recorded.set(tenantId, told + 1);
    unrecorded.delete(tenantId);
    return left > 0 ? { unrecorded: left } : {};
  };
}
