import { isUtf8 } from 'node:buffer';
import type { ListSource } from './call.ts';
import type { Operation } from './catalogue.ts';
import { managementErrors } from './management-errors.ts';
import type { Query } from './parse-query.ts';
import { describeProblem } from './validation-message.ts';

const DEFAULT_SIZE = 50;
/** Lists that can be walked by page through their first thousand records only. */
const THOUSAND = 1000;
const LIMITED = new Set(['GET /users', 'GET /roles/{id}/users', 'GET /organizations/{id}/members']);
/** Lists whose totals object also tells how many items the page has; those of a role's users do not. */
const WITH_LENGTH = new Set(['GET /users', 'GET /logs']);
/** A position may carry the longest identifier of an API: 600 characters of four bytes, in base64. */
const MAX_CURSOR = 4096;

/** Answers a list in the style that the query asks for; `take` and `from` win over pages and totals. */
export async function answerList<Item>(
  operation: Operation,
  query: Query,
  key: string,
  source: ListSource<Item>,
): Promise<unknown> {
  const offersCheckpoint = 'take' in operation.query && source.after !== undefined;
  const wantsCheckpoint = query.take !== undefined || query.from !== undefined;
  const offersPages = 'page' in operation.query;
  if (offersCheckpoint && (wantsCheckpoint || !offersPages)) return answerCheckpoint(query, key, source);
  return answerPage(operation, query, key, source);
}

async function answerPage<Item>(
  operation: Operation,
  query: Query,
  key: string,
  source: ListSource<Item>,
): Promise<unknown> {
  const page = numberOf(query.page, 0);
  const limit = numberOf(query.per_page, DEFAULT_SIZE);
  const start = page * limit;
  if (LIMITED.has(operation.name) && start + limit > THOUSAND && page > 0) {
    throw key === 'users' && operation.name === 'GET /users'
      ? managementErrors.tooManyUsers()
      : managementErrors.pageTooFar({ page });
  }
  const items = limit === 0 ? [] : (await source.page(start, limit)).map((item) => toWire(source, item));
  if (query.include_totals !== true) return items;
  const total = await source.count();
  return { start, limit, ...(WITH_LENGTH.has(operation.name) && { length: items.length }), total, [key]: items };
}

async function answerCheckpoint<Item>(query: Query, key: string, source: ListSource<Item>): Promise<unknown> {
  const take = numberOf(query.take, DEFAULT_SIZE);
  // One more than asked for tells whether there is a next page: its cursor is left out on the last one.
  const found = await itemsAfter(source, cursorOf(query.from), take + 1);
  const items = found.slice(0, take);
  const last = items.at(-1);
  const next = found.length > take && last !== undefined ? source.cursorOf?.(last) : undefined;
  return {
    [key]: items.map((item) => toWire(source, item)),
    ...(next !== undefined && { next: Buffer.from(next).toString('base64url') }),
  };
}

async function itemsAfter<Item>(
  source: ListSource<Item>,
  cursor: string | undefined,
  limit: number,
): Promise<readonly Item[]> {
  try {
    return (await source.after?.(cursor, limit)) ?? [];
  } catch (cause) {
    // A forged cursor may be no number, or none that its column can hold.
    if (cursor !== undefined && isBadValue(cause)) throw invalidCursor(cause);
    throw cause;
  }
}

function cursorOf(from: Query[string]): string | undefined {
  if (from === undefined || from === '') return undefined;
  const text = String(from);
  const cursor = Buffer.from(text, 'base64url');
  if (text.length > MAX_CURSOR || cursor.toString('base64url') !== text || !isUtf8(cursor)) throw invalidCursor();
  const decoded = cursor.toString('utf8');
  if (decoded === '' || decoded.includes('\u0000')) throw invalidCursor();
  return decoded;
}

/** PostgreSQL's data exceptions: invalid text representation, value out of range, malformed date. */
function isBadValue(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' && cause.code.startsWith('22');
}

/** For sources that know what their cursors look like. */
export function invalidCursor(cause?: unknown) {
  return managementErrors.invalidQuery({ problem: describeProblem('Invalid checkpoint', 'from') }, { cause });
}

function toWire<Item>(source: ListSource<Item>, item: Item): unknown {
  return source.toWire === undefined ? item : source.toWire(item);
}

function numberOf(value: Query[string], otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
