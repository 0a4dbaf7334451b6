import { createFairQueue } from '../kit/fair-queue.ts';
import { AwayError } from './away-error.ts';

interface Waiting {
  /** False where it has given up. */
  readonly start: () => boolean;
  readonly refuse: () => void;
}

export type Turns = ReturnType<typeof createTurns>;

/** So many questions at once, so many waiting; callers take turns, so that a storm of one delays that one. */
export function createTurns({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }) {
  const queue = createFairQueue<Waiting>(waiting);
  let busy = 0;

  async function inTurn<Value>(caller: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    if (busy < atOnce) busy++;
    // Who ends hands over: `busy` stays as it is.
    else await turnOf(caller, signal);
    try {
      return await work();
    } finally {
      while (!handOver());
    }
  }

  /** False where the next one has given up, so that somebody else is to be asked. */
  function handOver(): boolean {
    const next = queue.take();
    if (next) return next.start();
    busy--;
    return true;
  }

  function turnOf(caller: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasGivenUp = false;
      const giveUp = (message: string) => {
        hasGivenUp = true;
        reject(new AwayError(message));
      };
      const late = () => giveUp('The question waited for its turn for too long.');
      signal.addEventListener('abort', late, { once: true });
      const pushedOut = queue.push(caller, {
        start: () => {
          signal.removeEventListener('abort', late);
          if (!hasGivenUp) resolve();
          return !hasGivenUp;
        },
        refuse: () => giveUp(`${waiting} questions wait already.`),
      });
      pushedOut?.refuse();
    });
  }

  return { inTurn, busy: () => busy, waiting: () => queue.size() };
}
