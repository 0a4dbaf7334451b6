import { type RawBuilder, sql } from 'kysely';

/** Writes the events of a statement that does many changes at once: `source` has a column `event`, of what toEventRow gives. */
export function insertEvents(source: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`insert into log_events (tenant_id, type, user_id, client_id, connection, ip, body)
    select row.* from ${source} as source, jsonb_to_record(source.event) as row
      (tenant_id text, type text, user_id text, client_id text, connection text, ip text, body jsonb)`;
}
