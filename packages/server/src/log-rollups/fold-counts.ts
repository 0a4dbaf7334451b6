import { type Count, MOST_APART, REST, RESTS_OF_SUBJECTS } from './rollup.ts';

interface Fold {
  readonly most: number;
  readonly isApart: (count: Count) => boolean;
  readonly into: (count: Count) => Count;
}

const FOLDS: readonly Fold[] = [
  {
    most: MOST_APART.addresses,
    isApart: ({ subject, ip }) => subject === '' && ip !== '' && ip !== REST,
    into: (count) => ({ ...count, ip: REST }),
  },
  {
    most: MOST_APART.clients,
    isApart: ({ subject, ip, client_id }) => subject === '' && (ip === '' || ip === REST) && client_id !== REST,
    into: (count) => ({ ...count, client_id: REST, connection: REST }),
  },
  {
    most: MOST_APART.subjects,
    isApart: ({ subject }) => subject !== '' && !RESTS_OF_SUBJECTS.includes(subject),
    into: (count) => ({ ...count, client_id: REST, subject: `${count.subject.split(':', 1)[0]}:${REST}` }),
  },
];

/** What fold-rest.ts does with stored counts, before they are stored: an event of a flood does not cost a row that goes at once. */
export function foldCounts(counts: readonly Count[]): readonly Count[] {
  return FOLDS.reduce(foldOne, counts);
}

function foldOne(counts: readonly Count[], { most, isApart, into }: Fold): readonly Count[] {
  const groups = Map.groupBy(counts.filter(isApart), groupOf);
  const gone = new Set<Count>();
  for (const group of groups.values()) {
    if (group.length <= most) continue;
    for (const count of group.toSorted((a, b) => b.n - a.n).slice(most)) gone.add(count);
  }
  if (gone.size === 0) return counts;
  const merged = new Map<string, Count>();
  for (const count of counts) {
    const moved = gone.has(count) ? into(count) : count;
    const key = JSON.stringify([
      groupOf(moved),
      moved.type,
      moved.client_id,
      moved.connection,
      moved.ip,
      moved.subject,
    ]);
    const known = merged.get(key);
    merged.set(key, known ? { ...moved, n: known.n + moved.n } : moved);
  }
  return [...merged.values()];
}

function groupOf({ tenant_id, grain, at }: Count): string {
  return `${tenant_id} ${grain} ${at.getTime()}`;
}
