import { type Generated, type JSONColumnType, type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { isObject, type Json, objectsOf, oneOf, textOf } from '../kit/json-values.ts';
import type { Sealer } from '../kit/seal.ts';
import { type LogStream, logStreamErrors, MOST_STREAMS, type SigningSecret, type StreamStatus } from './log-stream.ts';
import type { PersonalDataSettings } from './personal-data/mask-personal-data.ts';
import type { StreamFilter } from './select-events.ts';
import { STREAM_TYPES } from './sinks/sink.ts';

declare module '../db/database.ts' {
  interface Tables {
    log_streams: LogStreamTable;
  }
}

interface LogStreamTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  type: string;
  status: StreamStatus;
  is_priority: boolean;
  filters: JSONColumnType<StreamFilter[]>;
  pii_config: JSONColumnType<PersonalDataSettings> | null;
  start_from: Date | null;
  sink: Buffer | null;
  signing_secrets: Buffer | null;
  version: Generated<string>;
  updated_at: Generated<Date>;
}

export type StreamChange = Partial<
  Pick<LogStream, 'name' | 'status' | 'isPriority' | 'filters' | 'piiConfig' | 'sink' | 'signingSecrets'>
>;

export type LogStreamStore = ReturnType<typeof createLogStreamStore>;

export function createLogStreamStore(db: Database, sealer: Sealer) {
  const rows = (tenantId: string) => db.selectFrom('log_streams').where('tenant_id', '=', tenantId);

  const seal = (tenantId: string, id: string, column: SealedColumn, value: unknown) =>
    sealer.seal(JSON.stringify(value), place(tenantId, id, column));

  /** What can't be read is that of one stream: it stops nobody who asks for all of them. */
  function open(tenantId: string, id: string, column: SealedColumn, sealed: Buffer | null): Opened {
    if (sealed === null) return { isDamaged: false, value: undefined };
    try {
      return { isDamaged: false, value: JSON.parse(sealer.open(sealed, place(tenantId, id, column)).toString()) };
    } catch {
      return { isDamaged: true, value: undefined };
    }
  }

  function fromRow(tenantId: string, row: Selectable<LogStreamTable>): LogStream {
    const { value: sink } = open(tenantId, row.id, 'sink', row.sink);
    const secrets = open(tenantId, row.id, 'signing_secrets', row.signing_secrets);
    return {
      id: row.id,
      name: row.name,
      type: oneOf(STREAM_TYPES, row.type) ?? 'http',
      status: row.status,
      isPriority: row.is_priority,
      filters: row.filters,
      piiConfig: row.pii_config ?? undefined,
      startFrom: row.start_from ?? undefined,
      sink: isObject(sink) ? sink : undefined,
      signingSecrets: objectsOf(secrets.value).map(toSigningSecret),
      damage: isObject(sink) ? (secrets.isDamaged ? 'signing secrets' : undefined) : 'sink',
      version: row.version,
    };
  }

  return {
    /** `db` is one transaction: two at once don't exceed the limit together. */
    async insert(tenantId: string, stream: Omit<LogStream, 'version'>): Promise<void> {
      await sql`select pg_advisory_xact_lock(hashtext('log_streams'), hashtext(${tenantId}))`.execute(db);
      const count = await rows(tenantId)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      if (Number(count.total) >= MOST_STREAMS) throw logStreamErrors.tooMany({ limit: MOST_STREAMS });
      await db
        .insertInto('log_streams')
        .values({
          tenant_id: tenantId,
          id: stream.id,
          name: stream.name,
          type: stream.type,
          status: stream.status,
          is_priority: stream.isPriority,
          filters: JSON.stringify(stream.filters),
          pii_config: stream.piiConfig === undefined ? null : JSON.stringify(stream.piiConfig),
          start_from: stream.startFrom ?? null,
          sink: seal(tenantId, stream.id, 'sink', stream.sink),
          signing_secrets: null,
        })
        .execute();
    },

    async list(tenantId: string): Promise<LogStream[]> {
      const found = await rows(tenantId).selectAll().orderBy('seq').execute();
      return found.map((row) => fromRow(tenantId, row));
    },

    async find(tenantId: string, id: string): Promise<LogStream | undefined> {
      const row = await rows(tenantId).selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromRow(tenantId, row);
    },

    /** Nobody else changes it until `db`, one transaction, ends. */
    async lock(tenantId: string, id: string): Promise<LogStream | undefined> {
      const row = await rows(tenantId).selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
      return row && fromRow(tenantId, row);
    },

    async update(tenantId: string, id: string, change: StreamChange): Promise<LogStream | undefined> {
      const row = await db
        .updateTable('log_streams')
        .set({
          ...(change.name !== undefined && { name: change.name }),
          ...(change.status !== undefined && { status: change.status }),
          ...(change.isPriority !== undefined && { is_priority: change.isPriority }),
          ...(change.filters !== undefined && { filters: JSON.stringify(change.filters) }),
          ...('piiConfig' in change && { pii_config: change.piiConfig ? JSON.stringify(change.piiConfig) : null }),
          ...(change.sink !== undefined && { sink: seal(tenantId, id, 'sink', change.sink) }),
          ...(change.signingSecrets !== undefined && {
            signing_secrets: seal(tenantId, id, 'signing_secrets', change.signingSecrets),
          }),
          version: sql`version + 1`,
          updated_at: sql`now()`,
        })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return row && fromRow(tenantId, row);
    },

    async remove(tenantId: string, id: string): Promise<boolean> {
      const result = await db
        .deleteFrom('log_streams')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

interface Opened {
  readonly isDamaged: boolean;
  readonly value: unknown;
}

type SealedColumn = 'sink' | 'signing_secrets';

function place(tenantId: string, id: string, column: SealedColumn): string {
  return `${tenantId}/log_streams/${id}/${column}`;
}

function toSigningSecret({ secret, until }: Json): SigningSecret {
  return { secret: textOf(secret) ?? '', until: textOf(until) };
}
