import type { Explanation } from '../logs/explain-error.ts';
import type { Executions } from './outcome.ts';

/** Members of an event's `details`: `actions.executions` as Auth0 has it, and the same of rules. */
export function executionDetails({ rules, actions }: Executions = {}): Explanation {
  return { ...(rules && { rules: { executions: rules } }), ...(actions && { actions: { executions: actions } }) };
}
