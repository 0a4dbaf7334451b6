import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLog } from '../../kit/log.ts';
import { createBackground } from './background.ts';

const never = () => new Promise<void>(() => {});

function background(lines: string[] = []) {
  const log = createLog('json', (line) => lines.push(line));
  const { begin, ...others } = createBackground({
    log,
    limits: { most: 5, mostOfTenant: 2, patienceMs: 1, lastWordsMs: 1 },
  });
  return { ...others, begin: (tenantId: string, work: () => Promise<void>) => begin(tenantId, 'after', work) };
}

it('keeps the slow code of one tenant from taking the places of the others', () => {
  const { begin } = background();
  expect(Array.from({ length: 3 }, () => begin('slow', never))).toEqual([undefined, undefined, 'busy']);
  expect(begin('other', never)).toBeUndefined();
});

it('has a bound for all tenants together', () => {
  const { begin } = background();
  const begun = ['a', 'b', 'c', 'd', 'e', 'f'].map((tenantId) => begin(tenantId, never));
  expect(begun).toEqual([undefined, undefined, undefined, undefined, undefined, 'busy']);
});

it('gives a place back where the work is done, and where it failed, which is told to the operator', async () => {
  const lines: string[] = [];
  const { begin } = background(lines);
  begin('dev', async () => {});
  begin('dev', async () => {
    throw new Error('it broke');
  });
  expect(begin('dev', never)).toBe('busy');
  await setImmediate();
  expect([begin('dev', never), begin('dev', never), begin('dev', never)]).toEqual([undefined, undefined, 'busy']);
  expect(lines.join()).toContain('it broke');
});

it('begins nothing once it has stopped, and tells the operator what came to no end', async () => {
  const lines: string[] = [];
  const { begin, stop, finish } = background(lines);
  begin('dev', never);
  await stop();
  expect(begin('dev', never)).toBe('stopping');
  expect(lines).toEqual([]);
  await finish();
  expect(lines.join()).toContain('lost at the end of the server');
  expect(lines).toHaveLength(1);
});
