import type { CronRun } from './cron-job.ts';
import type { CronRunStore } from './cron-run-store.ts';

export interface FollowedLine {
  readonly job: string;
  readonly run: string;
  readonly at: string;
  readonly text: string;
}

interface Followed {
  readonly tenantId: string;
  /** All jobs where it is undefined. */
  readonly name: string | undefined;
  /** Runs whose output comes first. */
  readonly past: number;
}

/** More can't begin between two looks: a job has one run at a time. */
const LOOKED_AT = 100;

/** What runs print, whichever server runs them, as it comes; an empty list where a look found nothing. */
export async function* followRuns(
  { runs, wait }: { runs: Pick<CronRunStore, 'heads' | 'since'>; wait: () => Promise<unknown> },
  { tenantId, name, past }: Followed,
): AsyncGenerator<readonly FollowedLine[]> {
  /** By run: how many of its lines are told. */
  let told = new Map<string, number>();
  const before = await runs.heads(tenantId, name, LOOKED_AT);
  for (const [index, { runId, isOver, lineCount }] of before.entries())
    told.set(runId, index < past || !isOver ? 0 : lineCount);
  for (;;) {
    const newest = await runs.since(tenantId, name, told, LOOKED_AT);
    yield newest.toReversed().flatMap(linesOf);
    told = new Map(newest.map(({ runId, lineCount }) => [runId, lineCount]));
    await wait();
  }
}

/** The newest lines alone are kept: a run that prints faster than it is read has a gap. */
function linesOf({ name, runId, lines }: Pick<CronRun, 'name' | 'runId' | 'lines'>): FollowedLine[] {
  return lines.map(({ at, text }) => ({ job: name, run: runId, at, text }));
}
