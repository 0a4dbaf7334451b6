/** How many streams each process has, and who asks for some. */
interface Shares {
  readonly held: ReadonlyMap<string, number>;
  readonly askers: Iterable<string>;
}

/**
 * How many of its streams a process leaves to those who ask. Whoever has most gives, until nobody who asks has two fewer than
 * it: all processes count the same way, so that not everybody gives for the same asker.
 */
export function countToLeave(owner: string, { held, askers }: Shares): number {
  const counts = new Map(held);
  const poor = [...new Set(askers)];
  for (const asker of poor) counts.set(asker, held.get(asker) ?? 0);
  let left = 0;
  while (poor.length > 0) {
    const most = extreme([...counts.keys()], counts, (one, other) => one > other);
    const least = extreme(poor, counts, (one, other) => one < other);
    if (countOf(counts, most) - countOf(counts, least) < 2) break;
    counts.set(most, countOf(counts, most) - 1);
    counts.set(least, countOf(counts, least) + 1);
    if (most === owner) left++;
  }
  return left;
}

/** Whether somebody has so many more that a process should ask for some. */
export function isPoor(owner: string, held: ReadonlyMap<string, number>): boolean {
  return Math.max(0, ...held.values()) - (held.get(owner) ?? 0) >= 2;
}

/** Of equals, the one whose name comes first. */
function extreme(
  owners: readonly string[],
  counts: ReadonlyMap<string, number>,
  isMore: (one: number, other: number) => boolean,
): string {
  const [first = '', ...others] = owners.toSorted();
  return others.reduce((best, owner) => (isMore(countOf(counts, owner), countOf(counts, best)) ? owner : best), first);
}

function countOf(counts: ReadonlyMap<string, number>, owner: string): number {
  return counts.get(owner) ?? 0;
}
