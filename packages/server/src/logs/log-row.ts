import { encodeLogId } from './log-id.ts';

/** A stored event, as the reader finds it. */
export interface LogRow {
  readonly epoch: number;
  readonly xid: string;
  readonly seq: string;
  /** YYYYMMDD. */
  readonly day: string;
  readonly at: Date;
  readonly type: string;
  readonly userId: string | null;
  readonly clientId: string | null;
  readonly connection: string | null;
  readonly ip: string | null;
  /** The other members of the wire record, under their wire names. */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What a reader selects from `log_events e`. xid and seq are selected under other names: an ORDER BY takes an output name
 * before a column, and would sort their texts, where 1000 stands before 999.
 */
export const LOG_COLUMNS = `e.epoch, e.xid::text as "xidText", e.seq::text as "seqText", to_char(e.day, 'YYYYMMDD') as "dayText",
  e.at, e.type, e.user_id as "userId", e.client_id as "clientId", e.connection, e.ip, e.body`;

export type SelectedRow = Omit<LogRow, 'xid' | 'seq' | 'day'> & { xidText: string; seqText: string; dayText: string };

export function fromSelected({ xidText, seqText, dayText, ...row }: SelectedRow): LogRow {
  return { ...row, xid: xidText, seq: seqText, day: dayText };
}

export function logIdOf(row: LogRow): string {
  return encodeLogId(row);
}

/** The record of GET /logs and of log streams, in Auth0's order of members. Of each event of each stream: without copies of copies. */
export function toWire(row: LogRow): Record<string, unknown> {
  const { body } = row;
  const { description = '', isMobile = false } = body;
  const logId = logIdOf(row);
  const wire: Record<string, unknown> = { date: row.at.toISOString(), type: row.type, description };
  put(wire, 'connection', row.connection);
  put(wire, 'connection_id', body.connection_id);
  put(wire, 'client_id', row.clientId);
  put(wire, 'client_name', body.client_name);
  put(wire, 'ip', row.ip);
  for (const name of BEFORE_USER) put(wire, name, body[name]);
  wire.user_id = row.userId ?? '';
  put(wire, 'user_name', body.user_name);
  // A spread makes a member of any name, `__proto__` too; an assignment would not.
  const others = Object.entries(body).filter(([name, value]) => !PLACED.has(name) && isThere(value));
  return { ...wire, ...Object.fromEntries(others), log_id: logId, _id: logId, isMobile };
}

const BEFORE_USER = ['client_ip', 'user_agent', 'details', 'hostname'] as const;
const PLACED = new Set<string>([
  ...BEFORE_USER,
  ...['description', 'isMobile', 'connection_id', 'client_name', 'user_name'],
]);

function put(wire: Record<string, unknown>, name: string, value: unknown): void {
  if (isThere(value)) wire[name] = value;
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined;
}
