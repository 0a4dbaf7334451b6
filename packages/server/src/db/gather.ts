interface Parts<Key, Answer> {
  /** One statement for many keys. What is not there is left out of the map. */
  readonly ask: (keys: readonly Key[]) => Promise<ReadonlyMap<string, Answer>>;
  /** The key as text: the map's key, and what makes two askers ask the same. */
  readonly textOf: (key: Key) => string;
}

interface Question<Key, Answer> {
  readonly key: Key;
  readonly askers: { resolve(answer: Answer | undefined): void; reject(reason: unknown): void }[];
}

const MOST_KEYS = 100;
const MOST_IN_FLIGHT = 2;

/**
 * Answers all who ask in the same moment with one statement: under load a round trip costs more than a row. A question
 * joins only a statement that is not sent yet, so that an answer is never older than its question; alone, it does not wait.
 */
export function createGatherer<Key, Answer>({
  ask,
  textOf,
}: Parts<Key, Answer>): (key: Key) => Promise<Answer | undefined> {
  const waiting = new Map<string, Question<Key, Answer>>();
  let inFlight = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || inFlight >= MOST_IN_FLIGHT || waiting.size === 0) return;
    isScheduled = true;
    // After the requests that arrived together were read, before the process sleeps again.
    setImmediate(flush);
  }

  function flush(): void {
    isScheduled = false;
    const batch = [...waiting.entries()].slice(0, MOST_KEYS);
    for (const [text] of batch) waiting.delete(text);
    inFlight++;
    ask(batch.map(([, { key }]) => key))
      .then(
        (answers) => {
          for (const [text, { askers }] of batch) for (const { resolve } of askers) resolve(answers.get(text));
        },
        (reason) => {
          for (const [, { askers }] of batch) for (const { reject } of askers) reject(reason);
        },
      )
      .finally(() => {
        inFlight--;
        schedule();
      });
    schedule();
  }

  return (key) =>
    new Promise((resolve, reject) => {
      const text = textOf(key);
      // PostgreSQL refuses the character, and would refuse everybody else's key of the statement with it.
      if (text.includes('\0')) return resolve(undefined);
      const known = waiting.get(text);
      if (known) known.askers.push({ resolve, reject });
      else waiting.set(text, { key, askers: [{ resolve, reject }] });
      schedule();
    });
}
