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
  { runs, wait }: { runs: Pick<CronRunStore, 'newest'>; wait: () => Promise<unknown> },
  { tenantId, name, past }: Followed,
): AsyncGenerator<readonly FollowedLine[]> {
  /** By run: how many of its lines are told. */
  let told = new Map<string, number>();
  const before = await runs.newest(tenantId, name, LOOKED_AT);
  for (const [index, run] of before.entries()) {
    const isShown = index < past || run.endedAt === undefined;
    told.set(run.runId, isShown ? 0 : run.lineCount);
  }
  for (let isFirst = true; ; isFirst = false) {
    const newest = isFirst ? before : await runs.newest(tenantId, name, LOOKED_AT);
    yield newest.toReversed().flatMap((run) => freshOf(run, told.get(run.runId) ?? 0));
    told = new Map(newest.map((run) => [run.runId, run.lineCount]));
    await wait();
  }
}

/** The newest lines alone are kept: a run that prints faster than it is read has a gap. */
function freshOf({ name, runId, lines, lineCount }: CronRun, told: number): FollowedLine[] {
  const fresh = Math.min(lines.length, lineCount - told);
  return lines.slice(lines.length - fresh).map(({ at, text }) => ({ job: name, run: runId, at, text }));
}
