import { storableText } from '../../logs/masking/storable-text.ts';

/** What the actions of a trigger did in one flow. Its id stands in the flow's log record. */
export interface ActionExecution {
  readonly id: string;
  readonly triggerId: string;
  /** `partial`: an action stopped the flow; `suspended`: it waits for the browser to come back. */
  readonly status: 'pending' | 'final' | 'partial' | 'canceled' | 'suspended';
  readonly results: readonly ExecutionResult[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Of one action; times are ISO texts, as they are stored and told. */
export interface ExecutionResult {
  readonly actionName: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly error?: { readonly id: string; readonly message: string };
}

const MOST_RESULTS = 50;
const LONGEST_MESSAGE = 2_000;
const LONGEST_ID = 200;

/** Bounded, whatever tenant code threw: the tenant's author reads it, and nobody else. */
export function boundedResults(results: readonly ExecutionResult[]): readonly ExecutionResult[] {
  return results.slice(0, MOST_RESULTS).map(({ error, ...result }) => ({
    ...result,
    ...(error && {
      error: { id: storableText(error.id, LONGEST_ID), message: storableText(error.message, LONGEST_MESSAGE) },
    }),
  }));
}
