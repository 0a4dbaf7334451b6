import { describe, expect, it } from 'vitest';
import { createWriteGatherer } from './gather-writes.ts';

/** Writes numbers by name, and notes which went together; those below ten are left out of what is done. */
function numbers(fails: (writes: readonly number[]) => Error | undefined = () => undefined) {
  const statements: (readonly number[])[] = [];
  const write = createWriteGatherer<number>({
    keyOf: (number) => String(Math.trunc(number)),
    async write(writes) {
      statements.push(writes);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const failure = fails(writes);
      if (failure) throw failure;
      return new Set(writes.filter((number) => number >= 10).map((number) => String(Math.trunc(number))));
    },
  });
  return { write, statements };
}

const outcomesOf = (results: readonly PromiseSettledResult<boolean>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)));

describe('writes that are gathered', () => {
  it('are one statement for all who come at once', async () => {
    const { write, statements } = numbers();
    expect(await Promise.all([10, 11, 12].map(write))).toEqual([true, true, true]);
    expect(statements).toEqual([[10, 11, 12]]);
  });

  it('gather while a statement is under way', async () => {
    const { write, statements } = numbers();
    const first = write(10);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, write(11), write(12)]);
    expect(statements).toEqual([[10], [11, 12]]);
  });

  it('come again alone where the statement left them out', async () => {
    const { write, statements } = numbers();
    expect(await Promise.all([10, 1, 11].map(write))).toEqual([true, false, true]);
    expect(statements).toEqual([[10, 1, 11], [1]]);
  });

  it('of the same key never share a statement', async () => {
    const { write, statements } = numbers();
    expect(await Promise.all([10.1, 10.2, 11].map(write))).toEqual([true, true, true]);
    expect(statements).toContainEqual([10.2]);
    expect(statements).toContainEqual([10.1, 11]);
  });

  it('never are more than a hundred in one statement', async () => {
    const { write, statements } = numbers();
    await Promise.all(Array.from({ length: 250 }, (_, index) => write(10 + index)));
    expect(statements.map(({ length }) => length)).toEqual([100, 100, 50]);
  });

  it('fail each for itself', async () => {
    const { write } = numbers((writes) => (writes.includes(13) ? new Error('13 is refused.') : undefined));
    expect(outcomesOf(await Promise.allSettled([12, 13, 14].map(write)))).toEqual([
      true,
      'Error: 13 is refused.',
      true,
    ]);
    expect(await write(15)).toBe(true);
  });

  it('fail at once where the database is away, those that wait for the statement as well', async () => {
    let isAway = true;
    const { write, statements } = numbers(() => (isAway ? new Error('Connection terminated unexpectedly') : undefined));
    const first = [write(10), write(11)];
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const away = 'Error: Connection terminated unexpectedly';
    expect(outcomesOf(await Promise.allSettled([...first, write(12)]))).toEqual([away, away, away]);
    expect(statements).toEqual([[10, 11]]);
    isAway = false;
    expect(await write(13)).toBe(true);
  });
});
