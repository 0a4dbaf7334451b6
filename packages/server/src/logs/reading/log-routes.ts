import type { Management, ManagementCall, QueryValue } from '../../management/call.ts';
import { logErrors } from '../log-errors.ts';
import { logIdOf, toWire } from '../log-row.ts';
import { NEWEST_FIRST, parseSort } from '../search/search-logs.ts';
import { eventsOfUser, parseSearch } from '../search/search-query.ts';
import { type LogReader, parsePosition } from './log-reader.ts';

interface Stores {
  readonly logs: LogReader;
}

type Call = ManagementCall<Stores>;

const DEFAULT_SIZE = 50;
const MAX_SIZE = 100;

/** GET /logs by search or by checkpoint, one event by its id, and the events of one user. */
export function logRoutes(management: Management<Stores>): void {
  management.route('GET /logs', (call) =>
    call.query.from === undefined && call.query.take === undefined ? search(call) : checkpoint(call),
  );

  management.route('GET /logs/{id}', async (call) => {
    const row = await call.stores.logs.find(call.tenant.tenantId, call.params.id ?? '');
    if (row === undefined) throw logErrors.notFound();
    return toWire(row);
  });

  // No user is looked up: what somebody did is still told when the account is gone.
  management.route('GET /users/{id}/logs', (call) =>
    page(call, parseSearch(undefined, undefined, eventsOfUser(call.params.id ?? ''))),
  );
}

async function search(call: Call): Promise<unknown> {
  return page(call, parseSearch(textOf(call.query.q), textOf(call.query.search)));
}

async function page(call: Call, query: ReturnType<typeof parseSearch>): Promise<unknown> {
  const limit = sizeOf(call.query.per_page);
  const start = pageOf(call.query.page) * limit;
  const sort = textOf(call.query.sort);
  const rows = await call.stores.logs.search(call.tenant.tenantId, {
    query,
    sort: sort === undefined ? NEWEST_FIRST : parseSort(sort),
    offset: start,
    limit,
  });
  const logs = rows.map(toWire);
  if (call.query.include_totals !== true) return logs;
  // The search engine's v3 counts the page, not all that match.
  return { start, limit, length: logs.length, total: logs.length, logs };
}

/**
 * Everything but `from` and `take` is ignored (management/parse-query.ts). The link goes on from the last event, or waits at
 * the same place.
 */
async function checkpoint(call: Call): Promise<unknown> {
  const from = textOf(call.query.from);
  const take = Math.max(1, sizeOf(call.query.take));
  const position = from === undefined ? undefined : parsePosition(from);
  const rows = await call.stores.logs.after(call.tenant.tenantId, position, take);
  const last = rows.at(-1);
  const next = last === undefined ? from : logIdOf(last);
  if (next !== undefined) {
    call.setHeader?.('link', `<${call.origin}/api/v2/logs?from=${next}&take=${take}>; rel="next"`);
  }
  return rows.map(toWire);
}

function textOf(value: QueryValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function sizeOf(value: QueryValue | undefined): number {
  return typeof value === 'number' ? Math.min(MAX_SIZE, Math.max(0, Math.trunc(value))) : DEFAULT_SIZE;
}

function pageOf(value: QueryValue | undefined): number {
  return typeof value === 'number' ? Math.max(0, Math.trunc(value)) : 0;
}
