import { AsyncLocalStorage } from 'node:async_hooks';

/** One job, as the code that runs for it sees it. Two jobs in flight never see each other's. */
export interface Run {
  readonly id: string;
  readonly kind: string;
  /** As the server sent it: `configuration`, secrets, `user`, `context`, `event` … each kind says what it holds. */
  readonly input: Record<string, unknown>;
  /** The tenant's own hosts: requests to them take the tunnel. */
  readonly hosts: readonly string[];
  /** Versions that this program's `require('name')` gets. */
  readonly modules: Readonly<Record<string, string>>;
  /** The part that runs now: console lines and warnings carry its name. */
  part: { readonly id: string; readonly name: string } | undefined;
  warn(kind: 'callback_twice' | 'threw_after_callback' | 'uncaught', text: string): void;
}

const runs = new AsyncLocalStorage<Run>();

/** The job on whose behalf this line runs; work that was left behind after a callback still has its job. */
export function currentRun(): Run | undefined {
  return runs.getStore();
}

export function withRun<T>(run: Run, work: () => T): T {
  return runs.run(run, work);
}
