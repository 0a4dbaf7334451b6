import assert from 'node:assert/strict';
import { expect, it } from 'vitest';
import type { Demo } from '../start/start-everything.ts';
import { runChecks } from './check.ts';

it('a check that fails is named with its reason, and stops no other', async () => {
  const lines: string[] = [];
  const unused = {} as Demo;
  const checks = [
    { id: 'PWD.1', what: 'a token opens the API', run: async () => 'a 200' },
    { id: 'PWD.2', what: 'a bad one does not', run: async () => assert.fail('the venue API\nanswered 200') },
    { id: 'PWD.3', what: 'all are there', run: async () => 'five' },
  ];
  expect(await runChecks(checks, unused, (line) => lines.push(line))).toEqual(['PWD.2']);
  expect(lines.join('\n').replaceAll(/\d\.\d s/g, 'n s')).toBe(`\
PWD.1   ok     a token opens the API (n s)
        seen:   a 200
PWD.2   FAILED a bad one does not (n s)
        reason: the venue API
                answered 200
PWD.3   ok     all are there (n s)
        seen:   five`);
});
