import { AsyncLocalStorage } from 'node:async_hooks';
import type { PartName, Warning } from '../job.ts';
import type { RunMessage } from '../protocol.ts';
import { send } from './wire.ts';

/** One job, as the code that runs for it sees it. Two jobs in flight never see each other's. */
export interface Run {
  readonly id: string;
  readonly kind: string;
  /** As the server sent it: `configuration`, secrets, `user`, `context`, `event` … each kind says what it holds. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The tenant's own hosts: requests to them take the tunnel. */
  readonly hosts: readonly string[];
  /** Versions that this program's `require('name')` gets. */
  readonly modules: Readonly<Record<string, string>>;
  /** The part that runs now: the server names it where a job fails or stalls. */
  readonly part: PartName | undefined;
  /** Begins with a part. */
  enter(part: PartName): void;
  warn(kind: Warning['kind'], text: string, part?: PartName): void;
  isOver: boolean;
}

/** After this the server has forgotten the job. */
const LATE_MS = 20_000;
const LONGEST_WARNING = 1_000;

const runs = new AsyncLocalStorage<Run>();
const clock = performance.now.bind(performance);

/** The job on whose behalf this line runs; work that was left behind after a callback still has its job. */
export function currentRun(): Run | undefined {
  return runs.getStore();
}

export function withRun<T>(run: Run, work: () => T): T {
  return runs.run(run, work);
}

export function createRun({ id, kind, input, hosts }: RunMessage, modules: Readonly<Record<string, string>>): Run {
  const began = clock();
  let part: PartName | undefined;
  return {
    id,
    kind,
    input: typeof input === 'object' && input !== null ? { ...input } : {},
    hosts,
    modules,
    isOver: false,
    get part() {
      return part;
    },
    enter(entered) {
      part = { id: entered.id, name: entered.name };
      send({ type: 'at', id, part });
    },
    warn(warned, text, where = part) {
      if (clock() - began > LATE_MS) return;
      send({ type: 'warning', id, kind: warned, text: text.slice(0, LONGEST_WARNING), ...(where && { part: where }) });
    },
  };
}
