import { LRUCache } from 'lru-cache';
import type { Job, JobKind, Outcome, PartName } from '../containers/job.ts';
import type { Transact } from '../db/transact.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { CodeWarningStore } from './warning-store.ts';

interface Stores {
  readonly codeWarnings: CodeWarningStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly now: () => Date;
}

interface Count {
  readonly since: number;
  runs: number;
  calling: number;
  calls: number;
  isTold: boolean;
}

const WINDOW_MILLISECONDS = 3_600_000;
/** Runs that called, and their share of all runs: a call for each new user is what is recommended. */
const ENOUGH = 10;
const SHARE = 0.5;
const MOST_PARTS = 10_000;
const MEMBER: Readonly<Record<JobKind, string>> = { rules: 'rule', action: 'action', hook: 'hook', database: 'script' };

/**
 * Counts, for each rule, action, hook and script, the runs that called the tenant's Management API, and warns of one that
 * does it at nearly each login: once an hour for all processes.
 */
export function createApiCallWatch({ transact, now }: Parts) {
  const counts = new LRUCache<string, Count>({ max: MOST_PARTS });

  function countOf(key: string, time: number): Count {
    const known = counts.get(key);
    if (known && time - known.since < WINDOW_MILLISECONDS) return known;
    const fresh = { since: time, runs: 0, calling: 0, calls: 0, isTold: false };
    counts.set(key, fresh);
    return fresh;
  }

  return async function watchApiCalls(job: Job, outcome: Outcome): Promise<void> {
    for (const part of partsThatRan(job, outcome)) {
      const key = `${job.tenantId} ${job.kind} ${part.id}`;
      const made = outcome.apiCalls.find((calls) => calls.part.id === part.id)?.count ?? 0;
      // Of those that never call there is nothing to remember.
      if (made === 0 && !counts.has(key)) continue;
      const count = countOf(key, now().getTime());
      count.runs++;
      count.calls += made;
      if (made > 0) count.calling++;
      if (count.isTold || count.calling < ENOUGH || count.calling < SHARE * count.runs) continue;
      count.isTold = true;
      await warn(job, part, count);
    }
  };

  function warn({ tenantId, kind }: Job, { id, name }: PartName, { runs, calling, calls }: Count): Promise<void> {
    return transact(async ({ codeWarnings, record }) => {
      const member = MEMBER[kind];
      if (!(await codeWarnings.isNews(tenantId, `api calls of ${kind} ${id}`, WINDOW_MILLISECONDS, now()))) return;
      await record(tenantId, {
        type: 'loginWarned',
        description: `The ${member} '${name}' called the Management API in ${calling} of ${runs} runs: its limits and its delay become those of every login. Call it once, and remember that in app_metadata`,
        details: {
          warning: 'management_api_at_each_login',
          [member]: { id, name },
          runs,
          calling_runs: calling,
          calls,
        },
      });
    });
  }
}

export type WatchApiCalls = ReturnType<typeof createApiCallWatch>;

/** All of them, or those up to the one that failed. */
function partsThatRan({ program: { parts } }: Job, outcome: Outcome): readonly PartName[] {
  if (outcome.ok) return parts;
  const end = parts.findIndex(({ id }) => id === outcome.failure.part?.id);
  return parts.slice(0, end + 1);
}
