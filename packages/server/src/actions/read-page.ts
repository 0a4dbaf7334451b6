import { numberOf } from '../kit/json-values.ts';
import type { QueryValue } from '../management/call.ts';
import { managementErrors } from '../management/management-errors.ts';
import { describeProblem } from '../management/validation-message.ts';

const DEFAULT_SIZE = 50;
const MOST = 100;
const LAST_PAGE = 1_000_000;

export interface Page {
  readonly page: number;
  readonly size: number;
  readonly offset: number;
}

/** Lists of actions have a style of paging of their own: always `{<items>, total, page, per_page}`. */
export function readPage(query: Readonly<Record<string, QueryValue | undefined>>): Page {
  const page = within('page', numberOf(query.page) ?? 0, 0, LAST_PAGE);
  const size = within('per_page', numberOf(query.per_page) ?? DEFAULT_SIZE, 1, MOST);
  return { page, size, offset: page * size };
}

export function pageToWire({ page, size }: Page, total: number) {
  return { total, page, per_page: size };
}

function within(name: string, value: number, minimum: number, maximum: number): number {
  const [word, limit] = value < minimum ? ['less than minimum', minimum] : ['greater than maximum', maximum];
  if (value < minimum || value > maximum)
    throw managementErrors.invalidQuery({ problem: describeProblem(`Value ${value} is ${word} ${limit}`, name) });
  return value;
}
