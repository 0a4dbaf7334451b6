import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLog } from '../../kit/log.ts';
import { createBackground } from './background.ts';

const never = () => new Promise<void>(() => {});

function background(lines: string[] = []) {
  return createBackground({
    log: createLog('json', (line) => lines.push(line)),
    most: 5,
    mostOfTenant: 2,
    patienceMs: 1,
  });
}

it('keeps the slow code of one tenant from taking the places of the others', () => {
  const { begin } = background();
  expect(Array.from({ length: 3 }, () => begin('slow', never))).toEqual([true, true, false]);
  expect(begin('other', never)).toBe(true);
});

it('has a bound for all tenants together', () => {
  const { begin } = background();
  expect(['a', 'b', 'c', 'd', 'e', 'f'].map((tenantId) => begin(tenantId, never))).toEqual([
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
});

it('gives a place back where the work is done, and where it failed, which is told to the operator', async () => {
  const lines: string[] = [];
  const { begin } = background(lines);
  begin('dev', async () => {});
  begin('dev', async () => {
    throw new Error('it broke');
  });
  expect(begin('dev', never)).toBe(false);
  await setImmediate();
  expect([begin('dev', never), begin('dev', never), begin('dev', never)]).toEqual([true, true, false]);
  expect(lines.join()).toContain('it broke');
});

it('begins nothing once it has stopped', async () => {
  const { begin, stop } = background();
  await stop();
  expect(begin('dev', never)).toBe(false);
});
