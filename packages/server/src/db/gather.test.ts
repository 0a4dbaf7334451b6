import { describe, expect, it } from 'vitest';
import { createGatherer } from './gather.ts';

/** Asks for numbers by name, and notes which were asked together. */
function numbers(fails: (keys: readonly string[]) => boolean = () => false) {
  const statements: (readonly string[])[] = [];
  const find = createGatherer<string, number>({
    textOf: (key) => key,
    async ask(keys) {
      statements.push(keys);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (fails(keys)) throw new Error('The database is away.');
      return new Map(keys.filter((key) => key !== 'nothing').map((key) => [key, Number(key)]));
    },
  });
  return { find, statements };
}

describe('reads that are gathered', () => {
  it('are one statement for all who ask at once, each asker with the own answer', async () => {
    const { find, statements } = numbers();
    expect(await Promise.all(['1', '2', 'nothing', '1'].map(find))).toEqual([1, 2, undefined, 1]);
    expect(statements).toEqual([['1', '2', 'nothing']]);
  });

  it('never join a statement that was sent before they were asked', async () => {
    const { find, statements } = numbers();
    const first = find('1');
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, find('1')]);
    expect(statements).toEqual([['1'], ['1']]);
  });

  it('answer more askers than a statement takes', async () => {
    const { find, statements } = numbers();
    const keys = Array.from({ length: 450 }, (_, index) => String(index));
    expect(await Promise.all(keys.map(find))).toEqual(keys.map(Number));
    expect(statements.map(({ length }) => length)).toEqual([100, 100, 100, 100, 50]);
  });

  it('fail together, and work again afterwards', async () => {
    let isAway = true;
    const { find } = numbers(() => isAway);
    const outcomes = await Promise.allSettled(['1', '2'].map(find));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    expect(await find('1')).toBe(1);
  });

  it('leave out a key that PostgreSQL could not read', async () => {
    const { find, statements } = numbers();
    expect(await Promise.all([find('1\0'), find('1')])).toEqual([undefined, 1]);
    expect(statements).toEqual([['1']]);
  });
});
