import fc from 'fast-check';
import { examplesFor } from '../management/examples.ts';
import type { FuzzWorld } from './fuzz-world.ts';
import type { LiveValues } from './live-values.ts';
import { checkManagementCall } from './management-property.ts';
import { managementCall } from './management-requests.ts';
import { checkProtocolRequest } from './protocol-property.ts';
import { type Endpoint, requestTo } from './protocol-requests.ts';

export interface Rounds {
  readonly cases: number;
  /** The same seed makes the same cases. */
  readonly seed: number;
  /** After which no further case begins. */
  readonly seconds: number;
}

/** How often each answer came: a run whose requests all fail at the first check finds nothing. */
export type Outcomes = Readonly<Record<string, number>>;

export async function fuzzProtocol(
  fuzz: FuzzWorld,
  live: LiveValues,
  endpoints: readonly Endpoint[],
  rounds: Rounds,
): Promise<Outcomes> {
  return run(requestTo(endpoints), (draft) => checkProtocolRequest(fuzz, live, draft), rounds);
}

export async function fuzzManagement(fuzz: FuzzWorld, rounds: Rounds): Promise<Outcomes> {
  const examples = examplesFor(fuzz.home);
  const bearer = await fuzz.world.managementToken();
  return run(managementCall(examples), (draft) => checkManagementCall(fuzz, examples, bearer, draft), rounds);
}

async function run<Draft>(
  drafts: fc.Arbitrary<Draft>,
  check: (draft: Draft) => Promise<string>,
  { cases, seed, seconds }: Rounds,
): Promise<Outcomes> {
  const outcomes: Record<string, number> = {};
  const property = fc.asyncProperty(drafts, async (draft) => {
    const outcome = await check(draft);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  });
  await fc.assert(property, { numRuns: cases, seed, interruptAfterTimeLimit: seconds * 1_000 });
  return outcomes;
}
