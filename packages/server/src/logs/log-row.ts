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

/** The record of GET /logs and of log streams, in Auth0's order of members. */
export function toWire(row: LogRow): Record<string, unknown> {
  const { description = '', details, ...others } = row.body;
  const { connection_id, client_name, client_ip, user_agent, isMobile = false, hostname, user_name, ...rest } = others;
  const logId = logIdOf(row);
  return {
    date: row.at.toISOString(),
    type: row.type,
    description,
    ...present({ connection: row.connection, connection_id, client_id: row.clientId, client_name, ip: row.ip }),
    ...present({ client_ip, user_agent, details, hostname }),
    user_id: row.userId ?? '',
    ...present({ user_name, ...rest }),
    log_id: logId,
    _id: logId,
    isMobile,
  };
}

function present(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== undefined));
}
