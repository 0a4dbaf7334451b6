import type { ToWorker } from './worker-messages.ts';

/** A worker that is busy or dead is left out: a scrape of the others is better than none. */
const PATIENCE_MILLISECONDS = 1_000;

/** In the first process: asks workers what they have counted, and adds what it has counted itself. */
export function createSnapshotGatherer(own: () => Promise<object>) {
  const open = new Map<number, (snapshot: object) => void>();
  let lastId = 0;

  async function gather(workers: readonly ((question: ToWorker) => void)[]): Promise<readonly object[]> {
    const answers = workers.map((tell) => {
      const id = ++lastId;
      tell({ type: 'count', id });
      return inTime<object>((resolve) => open.set(id, resolve)).finally(() => open.delete(id));
    });
    const found = await Promise.all([own(), ...answers]);
    return found.filter((snapshot) => snapshot !== undefined);
  }

  return {
    gather,
    receive: ({ id, snapshot }: { readonly id: number; readonly snapshot: object }) => open.get(id)?.(snapshot),
  };
}

/** In a worker: asks the first process what all others have counted. */
export function createSnapshotQuestions(tell: (id: number) => void) {
  const open = new Map<number, (snapshots: readonly object[]) => void>();
  let lastId = 0;

  async function ask(): Promise<readonly object[]> {
    const id = ++lastId;
    tell(id);
    // The first process waits for the others itself.
    const answer = inTime<readonly object[]>((resolve) => open.set(id, resolve), 2 * PATIENCE_MILLISECONDS);
    return (await answer.finally(() => open.delete(id))) ?? [];
  }

  return {
    ask,
    receive: ({ id, snapshots }: { readonly id: number; readonly snapshots: readonly object[] }) =>
      open.get(id)?.(snapshots),
  };
}

function inTime<Value>(
  begin: (resolve: (value: Value) => void) => void,
  milliseconds = PATIENCE_MILLISECONDS,
): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), milliseconds);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
