import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzManagement, fuzzProtocol } from './fuzz-rounds.ts';
import { type FuzzWorld, startFuzzWorld } from './fuzz-world.ts';
import { createLiveValues, type LiveValues } from './live-values.ts';
import { AUTHORIZE, OTHERS, TOKEN } from './protocol-requests.ts';

/** The same cases each time; other ones come from `npm run test:faults`, and what they find becomes a test of its own. */
const ROUNDS = { cases: 120, seed: 20, seconds: 60 };

let fuzz: FuzzWorld;
let live: LiveValues;
beforeAll(async () => {
  fuzz = await startFuzzWorld();
  live = await createLiveValues(fuzz);
});
afterAll(() => fuzz.stop());

describe('hostile requests', () => {
  it.each([
    ['/authorize', AUTHORIZE],
    ['/oauth/token', TOKEN],
    ['the other endpoints', OTHERS],
  ])('to %s are refused without a trace, an error of ours or a way out', async (_where, endpoints) => {
    const outcomes = await fuzzProtocol(fuzz, live, endpoints, ROUNDS);
    expect(Object.keys(outcomes).sort()).toEqual(expect.arrayContaining(['400', expect.stringMatching(/^[23]/)]));
  });
});

describe('hostile calls', () => {
  it('of the Management API are refused without a trace or an error of ours', async () => {
    const outcomes = await fuzzManagement(fuzz, ROUNDS);
    expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['200', '201', '400', '404']));
  });
});
