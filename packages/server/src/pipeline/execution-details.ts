import type { Explanation } from '../logs/explain-error.ts';
import type { Executions } from './outcome.ts';

/** A login whose browser is sent to other pages has one more each time. */
const MOST_EXECUTIONS = 20;

/** Members of an event's `details`: `actions.executions` as Auth0 has it, and the same of rules; the latest of them. */
export function executionDetails({ rules, actions }: Executions = {}): Explanation {
  return { ...(rules && { rules: latestOf(rules) }), ...(actions && { actions: latestOf(actions) }) };
}

function latestOf(executions: readonly string[]) {
  return { executions: executions.slice(-MOST_EXECUTIONS) };
}
