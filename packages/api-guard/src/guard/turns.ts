/** So many at once, so many waiting; who comes later is refused at once, since it would wait beyond its deadline. */
export function createTurns({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }) {
  let busy = 0;
  const queue: (() => void)[] = [];

  return async function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    if (busy >= atOnce) {
      if (queue.length >= waiting) throw new BusyError(`${queue.length} tokens wait to be checked already.`);
      // Who ends hands over: `busy` stays as it is.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else busy++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else busy--;
    }
  };
}

export class BusyError extends Error {
  readonly code = 'busy';
}
