import type { LuceneRules } from '../../kit/lucene/query.ts';

/** The fields that a search of the log may name, each with the SQL that reads it from `log_events e`. */
const TEXT_FIELDS: ReadonlyMap<string, string> = new Map([
  ['type', 'e.type'],
  ['user_id', 'e.user_id'],
  ['client_id', 'e.client_id'],
  ['connection', 'e.connection'],
  ['ip', 'e.ip'],
  ...inBody('client_name', 'connection_id', 'description', 'hostname', 'organization_id', 'user_name', 'user_agent'),
  ...inBody('strategy', 'strategy_type'),
  [
    'log_id',
    `('900' || lpad(e.epoch::text, 3, '0') || lpad(e.xid::text, 20, '0') || lpad(e.seq::text, 19, '0') || to_char(e.day, 'YYYYMMDD') || '000')`,
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

/** The SQL of a field that LOG_RULES knows; never a text of a request. Compared by bytes, as the search is case-sensitive. */
export function textFieldSql(name: string): string | undefined {
  const sql = TEXT_FIELDS.get(name);
  return sql?.startsWith('e.body') ? `(${sql}) collate "C"` : sql;
}

function inBody(...names: string[]): [string, string][] {
  return names.map((name) => [name, `e.body->>'${name}'`]);
}
