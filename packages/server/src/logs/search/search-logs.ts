import type pg from 'pg';
import type { LuceneQuery } from '../../kit/lucene/query.ts';
import { logErrors } from '../log-errors.ts';
import { fromSelected, LOG_COLUMNS, type LogRow, type SelectedRow } from '../log-row.ts';
import type { LogSearch } from '../reading/log-reader.ts';
import { type Bind, compileSearch } from './compile-search.ts';
import { textFieldSql } from './log-fields.ts';

export interface LogSort {
  /** A searchable field. */
  readonly field: string;
  readonly descending: boolean;
}

export const NEWEST_FIRST: LogSort = { field: 'date', descending: true };

/** Auth0's own limit: what lies beyond is read by checkpoint. */
export const MAX_SEARCHABLE = 1_000;
const TIMEOUT = '3s';
const QUERY_CANCELED = '57014';

/** `date:-1`. The field is looked up, never copied into a statement. */
export function parseSort(sort: string): LogSort {
  const [, field = '', direction] = /^([a-z_]{1,40}):(1|-1)$/.exec(sort) ?? [];
  if (field !== 'date' && textFieldSql(field) === undefined) throw logErrors.unknownSort();
  return { field, descending: direction === '-1' };
}

export async function searchLogs(pool: pg.Pool, tenantId: string, search: LogSearch): Promise<LogRow[]> {
  if (search.offset + search.limit > MAX_SEARCHABLE) throw logErrors.tooDeep();
  const { text, values } = searchSql(tenantId, search);
  const connection = await pool.connect();
  try {
    const order = isFoundInOrder(search) ? 'set local enable_sort = off' : '';
    await connection.query(`begin read only; set local statement_timeout = '${TIMEOUT}'; ${order}`);
    const { rows } = await connection.query<SelectedRow>(text, values);
    return rows.map(fromSelected);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === QUERY_CANCELED)
      throw logErrors.tooSlow({}, { cause });
    throw cause;
  } finally {
    await connection.query('rollback').catch(() => {});
    connection.release();
  }
}

/** What has an index that ends with the date: there the newest of a value stand together, in their order. */
const IN_ORDER: ReadonlySet<string> = new Set(['type', 'user_id', 'client_id', 'connection', 'ip']);
/** An event's own id is by far the shorter way. */
const BY_ITSELF: ReadonlySet<string> = new Set(['log_id']);

/**
 * Whether an index gives the page in its order: by one of these values, or by the date alone. Then nothing needs to be
 * collected and sorted, which the planner would do on a day that is not analyzed yet: it takes a value for rare that half of
 * the events have.
 */
function isFoundInOrder({ query, sort }: Pick<LogSearch, 'query' | 'sort'>): boolean {
  const parts = conjunctionOf(query);
  const hasValueOf = (fields: ReadonlySet<string>) => parts.some((part) => isValueOf(part, fields));
  if (sort.field !== 'date' || hasValueOf(BY_ITSELF)) return false;
  return (
    hasValueOf(IN_ORDER) || parts.every((part) => part.kind === 'all' || ('field' in part && part.field === 'date'))
  );
}

function isValueOf(part: LuceneQuery, fields: ReadonlySet<string>): boolean {
  if (part.kind !== 'match' || part.field === undefined || part.ignoresCase === true) return false;
  return fields.has(part.field) && (part.isPhrase || part.pieces.length === 1);
}

function conjunctionOf(query: LuceneQuery): readonly LuceneQuery[] {
  return query.kind === 'and' ? query.parts.flatMap(conjunctionOf) : [query];
}

export function searchSql(
  tenantId: string,
  { query, sort, offset, limit }: LogSearch,
): { text: string; values: unknown[] } {
  const values: unknown[] = [tenantId];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const direction = sort.descending ? 'desc' : 'asc';
  const key = sort.field === 'date' ? 'e.at' : textFieldSql(sort.field);
  const tie = `e.epoch ${direction}, e.xid ${direction}, e.seq ${direction}`;
  const order =
    sort.field === 'log_id' ? tie : `${key} ${direction}${sort.field === 'date' ? '' : ' nulls last'}, ${tie}`;
  const text = `select ${LOG_COLUMNS} from log_events e
    where e.tenant_id = $1 and ${compileSearch(query, bind)}
    order by ${order} limit ${bind(limit)} offset ${bind(offset)}`;
  return { text, values };
}
