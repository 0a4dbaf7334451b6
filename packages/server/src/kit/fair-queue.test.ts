import { describe, expect, it } from 'vitest';
import { createFairQueue } from './fair-queue.ts';

function takeAll(queue: { take(): string | undefined }): string[] {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
  return taken;
}

describe('the fair queue', () => {
  it('serves tenants in turn, and each in the order of arrival', () => {
    const queue = createFairQueue<string>(10);
    for (const item of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) queue.push(item.charAt(0), item);
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
    expect(queue.size()).toBe(0);
  });

  it('refuses the newcomer when its own tenant holds most', () => {
    const queue = createFairQueue<string>(2);
    queue.push('a', 'a1');
    queue.push('a', 'a2');
    expect(queue.push('a', 'a3')).toBe('a3');
    expect(takeAll(queue)).toEqual(['a1', 'a2']);
  });

  it('makes room for a tenant in need at the cost of the one that holds most', () => {
    const queue = createFairQueue<string>(3);
    for (const item of ['a1', 'a2', 'a3']) queue.push('a', item);
    expect(queue.push('b', 'b1')).toBe('a3');
    expect(queue.push('b', 'b2')).toBe('b2');
    expect(queue.size()).toBe(3);
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'a2']);
  });

  it('gives an item that is put back the first place of its tenant', () => {
    const queue = createFairQueue<string>(2);
    queue.push('a', 'a1');
    queue.push('a', 'a2');
    queue.putBack('a', queue.take() ?? '');
    expect(takeAll(queue)).toEqual(['a1', 'a2']);
  });

  it('hands over all that waits when it is drained', () => {
    const queue = createFairQueue<string>(5);
    queue.push('a', 'a1');
    queue.push('b', 'b1');
    expect(queue.drain()).toEqual(['a1', 'b1']);
    expect(queue.size()).toBe(0);
  });
});
