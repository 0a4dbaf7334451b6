import { expect, it } from 'vitest';
import type { Authentication } from '../users/password-authentication.ts';
import { createRefusalPace } from './refusal-pace.ts';

const OF_HERE: Authentication = { outcome: 'wrongPassword', userId: 'auth0|1', isOfHere: true };
const OF_THE_SCRIPT: Authentication = { outcome: 'wrongPassword', userId: 'auth0|1' };

it('a refusal that needed no script takes as long as one of the last scripts of the same connection', async () => {
  let clock = 0;
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const pace = createRefusalPace({ now: () => clock, sleep, random: () => 0.99 });
  const run = (ms: number) =>
    pace.time('con_1', async () => {
      clock += ms;
    });
  await pace.hold('con_1', async () => OF_HERE);
  await run(100);
  await run(250);
  await pace.hold('con_1', async () => OF_HERE);
  await pace.hold('con_1', async () => OF_THE_SCRIPT);
  await pace.hold('con_1', async () => ({ outcome: 'unknownUser' }));
  await pace.hold('con_2', async () => OF_HERE);
  expect(slept).toEqual([250]);
});
