import { isObject, type Json, textOf } from '../kit/json-values.ts';

/** An event as GET /api/v2/logs has it, of any server. */
export interface LogRecord {
  /** A text of digits whose order is that of the log: opaque to us. */
  readonly id: string;
  readonly type: string;
  readonly date: Date | undefined;
  readonly wire: Json;
}

/** Undefined for what is no event. Old records have `_id` alone. */
export function parseRecord(value: unknown): LogRecord | undefined {
  if (!isObject(value)) return undefined;
  const id = textOf(value.log_id) || textOf(value._id);
  if (!id) return undefined;
  return { id, type: textOf(value.type) ?? '', date: dateOf(value.date), wire: value };
}

/** In the order in which Auth0's webhooks extension showed them. */
const MEMBERS = [
  'date',
  'type',
  'description',
  'connection',
  'client_id',
  'client_name',
  'ip',
  'user_agent',
  'details',
  'user_id',
  'user_name',
  'strategy',
  'strategy_type',
  '_id',
  'isMobile',
];

/** What the webhook gets: the record, its old members first, then those that came later. Both names of the id are there. */
export function toPayload({ id, wire }: LogRecord): Json {
  const whole: Json = { ...wire, _id: id, log_id: id };
  const first = MEMBERS.filter((name) => Object.hasOwn(whole, name)).map((name) => [name, whole[name]]);
  return { ...Object.fromEntries(first), ...whole };
}

function dateOf(value: unknown): Date | undefined {
  const date = new Date(typeof value === 'string' ? value : Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
