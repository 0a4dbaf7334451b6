import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzManagement, fuzzProtocol, type Outcomes } from '../fuzz/fuzz-rounds.ts';
import { type FuzzWorld, startFuzzWorld } from '../fuzz/fuzz-world.ts';
import { createLiveValues, type LiveValues } from '../fuzz/live-values.ts';
import { AUTHORIZE, OTHERS, TOKEN } from '../fuzz/protocol-requests.ts';

/** 100,000 cases in all; a machine that is too slow for them says how many it made. */
const CASES = Number(process.env.FUZZ_CASES ?? 100_000) / 4;
const SECONDS = 1_000;
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

let fuzz: FuzzWorld;
let live: LiveValues;
beforeAll(async () => {
  console.log(`FUZZ_SEED=${seed}`);
  fuzz = await startFuzzWorld();
  live = await createLiveValues(fuzz);
});
afterAll(() => fuzz.stop());

describe('hostile requests', () => {
  it.each([
    ['/authorize', AUTHORIZE],
    ['/oauth/token', TOKEN],
    ['the other endpoints', OTHERS],
  ])('to %s are refused without a trace, an error of ours or a way out', async (where, endpoints) => {
    tell(where, await fuzzProtocol(fuzz, live, endpoints, { cases: CASES, seed, seconds: SECONDS }));
  });
});

describe('hostile calls', () => {
  it('of the Management API are refused without a trace or an error of ours', async () => {
    tell('/api/v2', await fuzzManagement(fuzz, { cases: CASES, seed, seconds: SECONDS }));
  });
});

function tell(where: string, outcomes: Outcomes): void {
  const made = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  console.log(`${where}: ${made} cases, ${JSON.stringify(outcomes)}`);
  expect(made).toBeGreaterThan(0);
}
