import { checkCallback } from './check-callback.ts';
import { checkManagementCalls } from './check-management-calls.ts';
import { checkMfaBypass } from './check-mfa-bypass.ts';
import { checkWholeObjects } from './check-whole-objects.ts';
import type { Finding } from './finding.ts';
import { parseRule } from './parse-rule.ts';

const CHECKS = [checkMfaBypass, checkWholeObjects, checkManagementCalls, checkCallback];

/** Reads a rule without running it. What it finds are questions to its author, in the order of the text. */
export function lintRule(script: string): readonly Finding[] {
  const rule = parseRule(script);
  if ('finding' in rule) return [rule];
  return CHECKS.flatMap((check) => check(rule)).sort((a, b) => a.line - b.line || a.column - b.column);
}
