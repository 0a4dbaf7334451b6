import type { MethodFact } from '../pipeline/login-facts.ts';
import type { Decisions } from '../pipeline/outcome.ts';

/** `user` as rules see it: the profile, with what a rule set before the user was sent to another page. */
export function ruleUser(user: Decisions['user'], kept: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...user, ...kept };
}

/** Members that a rule set or changed. Metadata are read anew when the user comes back: they may have changed meanwhile. */
export function setByRules(
  before: Decisions['user'],
  after: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) => !READ_ANEW.has(name) && JSON.stringify(value) !== JSON.stringify(before[name]),
    ),
  );
}

const READ_ANEW: ReadonlySet<string> = new Set(['user_metadata', 'app_metadata']);

/** `authentication.methods`: the time in milliseconds, as rules of the wild compare it. */
export function ruleMethod({ name, timestamp }: MethodFact): { readonly name: string; readonly timestamp: number } {
  return { name, timestamp: Date.parse(timestamp) };
}
