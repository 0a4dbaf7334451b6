import { performance } from 'node:perf_hooks';
import { afterAll, describe, expect, it } from 'vitest';
import { createSyntaxCheck } from './check-syntax.ts';

const BAD = 'exports.x = (;';

describe('the check of syntax', () => {
  const syntax = createSyntaxCheck();
  afterAll(() => syntax.stop());

  it('finds a mistake in a process of its own, and knows the code the next time', async () => {
    expect(await syntax.check('dev', BAD, 'module')).toMatchObject({ place: { line: 1, column: 14 } });
    expect(await syntax.check('dev', BAD, 'module')).toMatchObject({ message: "Unexpected token ';'" });
    expect(await syntax.check('dev', 'exports.x = 1;', 'module')).toBeUndefined();
  });

  it('judges the same text as what it is to be compiled as', async () => {
    expect(await syntax.check('dev', 'function (a) {}', 'expression')).toBeUndefined();
    expect(await syntax.check('dev', 'function (a) {}', 'module')).toBeDefined();
  });

  it('holds nobody up with a text that takes long to read', async () => {
    // A second or more of V8's time, which nothing interrupts but the end of its process.
    const slow = `${'/\\p{L}[^\\W]/iu;'.repeat(6_600)}(`;
    const before = performance.eventLoopUtilization();
    const [found, other] = await Promise.all([
      syntax.check('hostile', slow, 'module'),
      syntax.check('dev', 'exports.y = (;', 'module'),
    ]);
    expect(found).toBeDefined();
    expect(other).toBeDefined();
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  });

  it('leaves it to the container where it can not tell in time, and is asked again', async () => {
    const hurried = createSyntaxCheck({ checkMs: 1 });
    expect(await hurried.check('dev', BAD, 'module')).toBeUndefined();
    await hurried.stop();
    expect(await hurried.check('dev', BAD, 'module')).toBeUndefined();
  });

  it('takes tenants in turn, and leaves to the container what finds no room', async () => {
    const narrow = createSyntaxCheck({ processes: 1, queue: 2 });
    const order: string[] = [];
    const ask = async (tenantId: string, code: string) => {
      const fault = await narrow.check(tenantId, code, 'module');
      order.push(fault ? code : `${code} unseen`);
    };
    await Promise.all([
      ask('greedy', '1('),
      ask('greedy', '2('),
      ask('greedy', '3('),
      ask('greedy', '4('),
      ask('modest', '5('),
    ]);
    expect(order.toSorted()).toEqual(['1(', '2(', '3( unseen', '4( unseen', '5(']);
    await narrow.stop();
  });
});
