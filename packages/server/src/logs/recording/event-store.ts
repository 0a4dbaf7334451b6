import { CompiledQuery } from 'kysely';
import type { Database } from '../../db/database.ts';
import { AWAITED_AT_COMMIT } from '../../db/prepared-statements.ts';
import type { RecordEvent } from '../event.ts';
import { toEventRow } from './event-row.ts';

export interface EventStore {
  /** Writes the event with the transaction at hand: there is no event without the change, and no change without its event. */
  readonly record: RecordEvent;
}

const INSERT = `${AWAITED_AT_COMMIT}insert into log_events (tenant_id, type, user_id, client_id, connection, ip, body)
  values ($1, $2, $3, $4, $5, $6, $7)`;

export function createEventStore(db: Database): EventStore {
  return {
    async record(tenantId, event) {
      const row = toEventRow(tenantId, event);
      const values = [
        row.tenant_id,
        row.type,
        row.user_id,
        row.client_id,
        row.connection,
        row.ip,
        JSON.stringify(row.body),
      ];
      await db.executeQuery(CompiledQuery.raw(INSERT, values));
    },
  };
}
