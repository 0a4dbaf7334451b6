import { type Generated, type JSONColumnType, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';
import { type Connection, connectionErrors } from './connection.ts';
import type { ScriptConfiguration } from './script-configuration.ts';

declare module '../db/database.ts' {
  interface Tables {
    connections: ConnectionTable;
  }
}

interface ConnectionTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  strategy: string;
  is_system: boolean;
  body: JSONColumnType<ConnectionBody>;
  script_configuration: Buffer | null;
  is_used_elsewhere: Generated<boolean>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

/** The catalogue's fields, as they go over the wire; name and strategy have columns. */
interface ConnectionBody {
  readonly display_name?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly realms?: readonly string[];
  readonly is_domain_connection?: boolean;
  readonly show_as_button?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ConnectionFilter {
  readonly name?: string;
  readonly strategies?: readonly string[];
}

/** A connection and its place in the list, the cursor of checkpoint paging. */
export type ListedConnection = Connection & { readonly seq: string };

export type ConnectionStore = ReturnType<typeof createConnectionStore>;

export function createConnectionStore(db: Database, sealer: Sealer) {
  const sealContext = (tenantId: string, id: string) => `${tenantId}/connections/${id}/script_configuration`;

  const selection = (tenantId: string) =>
    db
      .selectFrom('connections as c')
      .select(['c.seq', 'c.id', 'c.name', 'c.strategy', 'c.is_system', 'c.body'])
      .select(
        sql<string[]>`array(select cc.client_id from connection_clients cc
          where cc.tenant_id = c.tenant_id and cc.connection_id = c.id order by cc.seq)`.as('clients'),
      )
      .where('c.tenant_id', '=', tenantId);

  const listed = (tenantId: string, { name, strategies }: ConnectionFilter) =>
    selection(tenantId)
      .where('c.is_system', '=', false)
      .$if(name !== undefined, (query) => query.where('c.name', '=', name ?? ''))
      .$if(strategies !== undefined, (query) => query.where('c.strategy', 'in', [...(strategies ?? [])]));

  return {
    async insert(tenantId: string, connection: Connection): Promise<void> {
      try {
        await db
          .insertInto('connections')
          .values({
            tenant_id: tenantId,
            id: connection.id,
            name: connection.name,
            strategy: connection.strategy,
            is_system: connection.isSystem,
            body: JSON.stringify(toBody(connection)),
          })
          .execute();
      } catch (cause) {
        if (violatedConstraint(cause) === 'connections_name_taken') throw connectionErrors.nameTaken({}, { cause });
        throw cause;
      }
    },

    async find(tenantId: string, id: string): Promise<Connection | undefined> {
      const row = await selection(tenantId).where('c.id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },

    async findByName(tenantId: string, name: string): Promise<Connection | undefined> {
      const row = await selection(tenantId).where('c.name', '=', name).executeTakeFirst();
      return row && fromRow(row);
    },

    /** By one of its realms: its name, unless others were set. */
    async findByRealm(tenantId: string, realm: string): Promise<Connection | undefined> {
      const row = await selection(tenantId)
        .where(sql<boolean>`coalesce(c.body->'realms' ? ${realm}, c.name = ${realm})`)
        .orderBy('c.seq')
        .limit(1)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** Locks the row until the transaction ends: options are replaced whole, so changes must follow each other. */
    async lock(tenantId: string, id: string): Promise<Connection | undefined> {
      const row = await selection(tenantId).where('c.id', '=', id).forUpdate('c').executeTakeFirst();
      return row && fromRow(row);
    },

    async update(tenantId: string, connection: Connection): Promise<void> {
      await db
        .updateTable('connections')
        .set({ body: JSON.stringify(toBody(connection)), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', connection.id)
        .execute();
    },

    /** The values that scripts read; the options name their keys alone. */
    async configuration(tenantId: string, id: string): Promise<ScriptConfiguration> {
      const row = await db
        .selectFrom('connections')
        .select('script_configuration as sealed')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirst();
      return row?.sealed ? JSON.parse(sealer.open(row.sealed, sealContext(tenantId, id)).toString()) : {};
    },

    async setConfiguration(tenantId: string, id: string, values: ScriptConfiguration): Promise<void> {
      const isEmpty = Object.keys(values).length === 0;
      await db
        .updateTable('connections')
        .set({ script_configuration: isEmpty ? null : sealer.seal(JSON.stringify(values), sealContext(tenantId, id)) })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .execute();
    },

    /** A script has let one of its users in, or is to change a password. */
    async markUsedElsewhere(tenantId: string, id: string): Promise<void> {
      await sql`
        update connections set is_used_elsewhere = true
        where tenant_id = ${tenantId} and id = ${id} and not is_used_elsewhere`.execute(db);
    },

    /** Answers whether the mark was there. */
    async unmarkUsedElsewhere(tenantId: string, id: string): Promise<boolean> {
      const { numAffectedRows } = await sql`
        update connections set is_used_elsewhere = false
        where tenant_id = ${tenantId} and id = ${id} and is_used_elsewhere`.execute(db);
      return numAffectedRows === 1n;
    },

    /**
     * Whether another connection answers to one of these realms. No index keeps realms apart, so whoever asks holds a
     * lock on the tenant's realms until the transaction ends.
     */
    async hasRealm(tenantId: string, realms: readonly string[], exceptId: string): Promise<boolean> {
      await sql`select pg_advisory_xact_lock(hashtext('connection realms'), hashtext(${tenantId}))`.execute(db);
      const found = await sql<{ id: string }>`
        select id from connections
        where tenant_id = ${tenantId} and id <> ${exceptId} and strategy = 'auth0' and body->'realms' ?| ${[...realms]}::text[] limit 1`.execute(
        db,
      );
      return found.rows.length > 0;
    },

    /**
     * Deletes a connection and its users in one statement each; users who also have an identity elsewhere keep that.
     * The row is locked first: who is creating a user of it either commits before, or finds it gone.
     */
    async remove(tenantId: string, id: string): Promise<boolean> {
      const locked = await sql<{ id: string }>`
        select id from connections where tenant_id = ${tenantId} and id = ${id} and not is_system for update`.execute(
        db,
      );
      if (locked.rows.length === 0) return false;
      await sql`
        delete from users u using user_identities i
        where i.tenant_id = ${tenantId} and i.connection_id = ${id} and u.tenant_id = i.tenant_id and u.user_id = i.user_id
          and not exists (select 1 from user_identities other where other.tenant_id = u.tenant_id
            and other.user_id = u.user_id and other.connection_id <> ${id})`.execute(db);
      await sql`delete from connections where tenant_id = ${tenantId} and id = ${id}`.execute(db);
      return true;
    },

    async window(
      tenantId: string,
      filter: ConnectionFilter,
      offset: number,
      limit: number,
    ): Promise<ListedConnection[]> {
      const rows = await listed(tenantId, filter).orderBy('c.seq').offset(offset).limit(limit).execute();
      return rows.map((row) => ({ ...fromRow(row), seq: row.seq }));
    },

    async after(tenantId: string, filter: ConnectionFilter, seq: string, limit: number): Promise<ListedConnection[]> {
      const rows = await listed(tenantId, filter).where('c.seq', '>', seq).orderBy('c.seq').limit(limit).execute();
      return rows.map((row) => ({ ...fromRow(row), seq: row.seq }));
    },

    async count(tenantId: string, filter: ConnectionFilter): Promise<number> {
      const row = await db
        .selectFrom(listed(tenantId, filter).as('listed'))
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },

    /** Connections that a client may use, the reserved one included, in the order in which they were enabled. */
    async ofClient(tenantId: string, clientId: string): Promise<Connection[]> {
      const rows = await selection(tenantId)
        .innerJoin('connection_clients as own', (join) =>
          join.onRef('own.tenant_id', '=', 'c.tenant_id').onRef('own.connection_id', '=', 'c.id'),
        )
        .where('own.client_id', '=', clientId)
        .orderBy('c.seq')
        .execute();
      return rows.map(fromRow);
    },

    /** Domain-level connections: those that third-party clients may use. */
    async ofDomain(tenantId: string): Promise<Connection[]> {
      const rows = await selection(tenantId)
        .where('c.is_system', '=', false)
        .where(sql<boolean>`c.body->'is_domain_connection' = 'true'::jsonb`)
        .orderBy('c.seq')
        .execute();
      return rows.map(fromRow);
    },
  };
}

type Row = Pick<ConnectionTable, 'id' | 'name' | 'strategy' | 'is_system'> & {
  body: ConnectionBody;
  clients: string[];
};

function fromRow({ id, name, strategy, is_system: isSystem, body, clients }: Row): Connection {
  const { display_name, options = {}, realms = [name], is_domain_connection = false, show_as_button, ...rest } = body;
  const { metadata, ...otherFields } = rest;
  return {
    id,
    name,
    strategy,
    isSystem,
    displayName: display_name,
    options,
    realms,
    isDomainConnection: is_domain_connection,
    showAsButton: show_as_button,
    metadata,
    enabledClients: clients,
    otherFields,
  };
}

function toBody(connection: Connection): Record<string, unknown> {
  return {
    ...connection.otherFields,
    display_name: connection.displayName,
    options: connection.options,
    realms: connection.realms,
    is_domain_connection: connection.isDomainConnection,
    show_as_button: connection.showAsButton,
    metadata: connection.metadata,
  };
}
