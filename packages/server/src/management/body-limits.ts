import type { DeclaredError } from '../kit/errors.ts';
import { managementErrors } from './management-errors.ts';
import { describeProblem, shorten } from './validation-message.ts';

// What the catalogue leaves unbounded, and what it can't say: refused in the words of the schema's own refusals.

export function bodyFault(problem: string, property?: string): DeclaredError {
  return managementErrors.invalidBody({ problem: describeProblem(shorten(problem), property) });
}

export function checkLength(property: string, text: string | undefined, maximum: number): void {
  if (text !== undefined && text.length > maximum)
    throw bodyFault(`String is too long (${text.length} chars), maximum ${maximum}`, property);
}

export function checkCount(property: string, list: readonly unknown[] | undefined, maximum: number): void {
  if (list !== undefined && list.length > maximum)
    throw bodyFault(`Array is too long (${list.length}), maximum ${maximum}`, property);
}
