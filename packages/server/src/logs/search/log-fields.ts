import type { LuceneRules } from '../../kit/lucene/query.ts';
import { type LogRow, logIdOf } from '../log-row.ts';

/** A field that a search of the log may name: the SQL that reads it from `log_events e`, and what reads it from a row. */
interface TextField {
  readonly sql: string;
  of(row: LogRow): string | undefined;
}

const TEXT_FIELDS: ReadonlyMap<string, TextField> = new Map<string, TextField>([
  ['type', { sql: 'e.type', of: (row) => row.type }],
  ['user_id', { sql: 'e.user_id', of: (row) => row.userId ?? undefined }],
  ['client_id', { sql: 'e.client_id', of: (row) => row.clientId ?? undefined }],
  ['connection', { sql: 'e.connection', of: (row) => row.connection ?? undefined }],
  ['ip', { sql: 'e.ip', of: (row) => row.ip ?? undefined }],
  ...inBody('client_name', 'connection_id', 'description', 'hostname', 'organization_id', 'user_name', 'user_agent'),
  ...inBody('strategy', 'strategy_type'),
  [
    'log_id',
    {
      sql: byBytes(
        `'900' || lpad(e.epoch::text, 3, '0') || lpad(e.xid::text, 20, '0') || lpad(e.seq::text, 19, '0') || to_char(e.day, 'YYYYMMDD') || '000'`,
      ),
      of: logIdOf,
    },
  ],
]);

/** What a term without a field is looked for in. */
export const BARE_FIELDS = ['client_name', 'connection', 'description', 'ip', 'log_id', 'type', 'user_name'] as const;

export const LOG_RULES: LuceneRules = {
  field(name) {
    if (name === 'date') return { wildcard: false, range: true };
    return TEXT_FIELDS.has(name) ? { wildcard: true, range: true } : undefined;
  },
};

/** The SQL of a field that LOG_RULES knows; never a text of a request. */
export function textFieldSql(name: string): string | undefined {
  return TEXT_FIELDS.get(name)?.sql;
}

/** Its value in one record; undefined where the record has none. */
export function textFieldOf(row: LogRow, name: string): string | undefined {
  return TEXT_FIELDS.get(name)?.of(row);
}

/** The search is case-sensitive and knows no language. The columns are of this collation already. */
function byBytes(sql: string): string {
  return `(${sql}) collate "C"`;
}

function inBody(...names: string[]): [string, TextField][] {
  return names.map((name) => [
    name,
    {
      sql: byBytes(`e.body->>'${name}'`),
      of({ body }) {
        const value = body[name];
        return typeof value === 'string' ? value : undefined;
      },
    },
  ]);
}
