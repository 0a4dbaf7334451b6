import type { ContainerLimits } from '../limits.ts';
import { demandOf } from './demand.ts';

interface Needs {
  readonly pid: number | undefined;
  readonly limits: Pick<ContainerLimits, 'watchMs' | 'ordinaryNice' | 'greedyNice' | 'greedyMs' | 'greedyStartMs'>;
  readonly hasAnswered: () => boolean;
  /** Since its last job was answered. */
  readonly idleMs: () => number;
  readonly setNice: (nice: number) => unknown;
}

/** Of the time between two looks. */
const FULL = 0.8;
/** What code left behind after its answer is looked at for this long; most containers do nothing most of the time. */
const LEFT_MS = 1_000;

/**
 * Code that takes what it can get gives way to all that runs beside it, passwords' hashing included; code that answers at once
 * does not wait behind them. What counts is what its thread wants, since on a busy machine it does not get it. Returns the end of it.
 */
export function watchGreed({ pid, limits, hasAnswered, idleMs, setNice }: Needs): () => void {
  let before: { readonly at: number; readonly demand: number } | undefined;
  let full = 0;
  let isGreedy = false;
  const watch = setInterval(look, limits.watchMs).unref();
  return () => clearInterval(watch);

  function look(): void {
    if (!isGreedy && idleMs() > LEFT_MS) {
      before = undefined;
      full = 0;
      return;
    }
    const demand = pid === undefined ? undefined : demandOf(pid);
    if (demand === undefined) return;
    const now = { at: performance.now(), demand };
    const passed = before ? now.at - before.at : 0;
    const isFull = before !== undefined && demand - before.demand > FULL * passed;
    full = isFull ? full + passed : 0;
    before = now;
    // The modules that its first job loads take their time without being greedy.
    const wasGreedy = isGreedy;
    isGreedy = full > (hasAnswered() ? limits.greedyMs : limits.greedyStartMs);
    if (isGreedy !== wasGreedy) setNice(isGreedy ? limits.greedyNice : limits.ordinaryNice);
  }
}
