import type pg from 'pg';
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
    await connection.query(`begin read only; set local statement_timeout = '${TIMEOUT}'`);
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
