import type { Operation, Parameter } from './catalogue.ts';
import { definitionNamed } from './catalogue.ts';
import { checkText } from './check-text.ts';
import { formats } from './formats.ts';
import { managementErrors } from './management-errors.ts';
import { describeProblem, shorten } from './validation-message.ts';

/** Checks path parameters, which the router has decoded once already. */
export function validateParams(
  operation: Operation,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const [name, parameter] of Object.entries(operation.params)) {
    const value = given[name] ?? '';
    const fault = faultOf(value, parameter);
    if (fault !== undefined) throw managementErrors.invalidUri({ problem: describeProblem(fault, name) });
  }
  return given;
}

function faultOf(value: string, parameter: Parameter & { readonly $ref?: string }): string | undefined {
  const problem = checkText(value);
  if (problem !== undefined) return problem;
  const { length } = value;
  const { minLength = 1, maxLength, pattern, format } = parameter;
  if (length < minLength) return `String is too short (${length} chars), minimum ${minLength}`;
  if (maxLength !== undefined && length > maxLength)
    return `String is too long (${length} chars), maximum ${maxLength}`;
  if (format !== undefined && formats[format]?.(value) === false) {
    return `Object didn't pass validation for format ${format}: ${shorten(value)}`;
  }
  if (pattern !== undefined && !new RegExp(pattern).test(value)) {
    return `String does not match pattern ${pattern}: ${shorten(value)}`;
  }
  const allowed = parameter.$ref === undefined ? parameter.enum : definitionNamed(parameter.$ref).enum;
  return Array.isArray(allowed) && !allowed.includes(value) ? `No enum match for: ${shorten(value)}` : undefined;
}
