import { type RawBuilder, sql } from 'kysely';
import { isDatabaseAway } from './database-away.ts';

interface Parts<Write> {
  /**
   * One statement that does many writes, or none where it fails; gives back the keys of those that it did. Together it must
   * wait for nobody's lock (`skip locked`): what it left out, or what did not match, comes again alone and then waits.
   */
  readonly write: (writes: readonly Write[], mode: WriteMode) => Promise<ReadonlySet<string>>;
  /** What a write changes, as text. Two of the same key never share a statement: the second goes alone, and waits. */
  readonly keyOf: (write: Write) => string;
}

export type WriteMode = 'together' | 'alone';

interface Waiting<Write> {
  readonly write: Write;
  readonly key: string;
  resolve(isDone: boolean): void;
  reject(reason: unknown): void;
}

const MOST_WRITES = 100;

/**
 * Does the writes of all who come at once in one statement, which is a transaction of its own: they share its round trip and
 * its commit. One statement is under way, meanwhile the next gathers; alone, a write waits for nothing. Each is done or not
 * for itself: where a statement fails, each of its writes is tried alone.
 */
export function createWriteGatherer<Write>({ write, keyOf }: Parts<Write>): (write: Write) => Promise<boolean> {
  const waiting: Waiting<Write>[] = [];
  let isBusy = false;

  function schedule(): void {
    if (isBusy || waiting.length === 0) return;
    isBusy = true;
    // After the requests that arrived together were read.
    setImmediate(flush);
  }

  function flush(): void {
    const batch = takeBatch();
    write(
      batch.map((entry) => entry.write),
      'together',
    )
      .then(
        (done) => settle(batch, done),
        (reason) => settleFailure(batch, reason),
      )
      .finally(() => {
        isBusy = false;
        schedule();
      });
  }

  function takeBatch(): Waiting<Write>[] {
    const batch = new Map<string, Waiting<Write>>();
    for (const entry of waiting.splice(0, MOST_WRITES)) {
      if (batch.has(entry.key)) void alone(entry);
      else batch.set(entry.key, entry);
    }
    return [...batch.values()];
  }

  function settle(batch: readonly Waiting<Write>[], done: ReadonlySet<string>): void {
    for (const entry of batch) {
      if (done.has(entry.key)) entry.resolve(true);
      else void alone(entry);
    }
  }

  function settleFailure(batch: readonly Waiting<Write>[], reason: unknown): void {
    if (isDatabaseAway(reason)) {
      // Those who wait would each wait as long once more: nobody waits longer than one statement may take.
      for (const entry of [...batch, ...waiting.splice(0)]) entry.reject(reason);
    } else if (batch.length === 1) batch[0]?.reject(reason);
    else for (const entry of batch) void alone(entry);
  }

  async function alone({ write: own, key, resolve, reject }: Waiting<Write>): Promise<void> {
    try {
      resolve((await write([own], 'alone')).has(key));
    } catch (reason) {
      reject(reason);
    }
  }

  return (own) =>
    new Promise((resolve, reject) => {
      waiting.push({ write: own, key: keyOf(own), resolve, reject });
      schedule();
    });
}

/**
 * The rows of a gathered statement, as its CTE. PostgreSQL takes a hundred rows for granted, would read whole tables for
 * them while these are small, and keep that plan while they grow; of rows that equal something it expects one.
 */
export function recordset(rows: readonly object[], columns: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select * from jsonb_to_recordset(${JSON.stringify(rows.map((row) => ({ ...row, is_asked: 1 })))}) as asked
    (is_asked int, ${columns}) where is_asked = 1`;
}
