import { type Generated, type JSONColumnType, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { runWithin } from '../db/run-within.ts';
import type { Json } from '../kit/json-values.ts';
import type { Sealer } from '../kit/seal.ts';
import { type ResourceServer, resourceServerErrors } from './resource-server.ts';
import { fromRow, type ResourceServerRow } from './resource-server-row.ts';
import type { ResourceServerSearch } from './resource-server-search.ts';
import type { SearchPosition } from './search-cursor.ts';

declare module '../db/database.ts' {
  interface Tables {
    resource_servers: ResourceServerTable;
  }
}

interface ResourceServerTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  identifier: string;
  name: string;
  is_system: Generated<boolean>;
  body: JSONColumnType<Record<string, unknown>>;
  signing_secret: Buffer | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface Row extends ResourceServerRow {
  readonly signing_secret: Buffer | null;
}

export interface NewResourceServer {
  readonly id: string;
  readonly identifier: string;
  readonly name: string;
  readonly isSystem: boolean;
  /** With its scopes. */
  readonly body: Json;
  readonly signingSecret: string | undefined;
}

export interface ResourceServerFilter {
  /** As they are stored: MANAGEMENT_IDENTIFIER for the system API. */
  readonly identifiers?: readonly string[] | undefined;
}

const LONGEST_SEARCH_MS = 2_000;

export type ResourceServerStore = ReturnType<typeof createResourceServerStore>;

export function createResourceServerStore(db: Database, sealer: Sealer) {
  const secretContext = (tenantId: string, id: string) => `${tenantId}/resource_servers/${id}/signing_secret`;

  const opened = (tenantId: string, row: Row): ResourceServer => {
    const secret = row.signing_secret;
    const text = secret ? sealer.open(secret, secretContext(tenantId, row.id)).toString() : undefined;
    return fromRow(row, text);
  };

  const one = (tenantId: string, row: Row | undefined) => (row ? opened(tenantId, row) : undefined);
  const rowsOf = (tenantId: string) => db.selectFrom('resource_servers').where('tenant_id', '=', tenantId);

  /** By id or identifier, as paths name an API. An identifier that looks like another API's id doesn't hide that API. */
  const byName = (tenantId: string, name: string) =>
    rowsOf(tenantId)
      .selectAll()
      .where((where) => where.or([where('id', '=', name), where('identifier', '=', name)]))
      .orderBy(sql`id = ${name}`, 'desc')
      .limit(1);

  const filtered = (tenantId: string, { identifiers }: ResourceServerFilter) =>
    rowsOf(tenantId).$if(identifiers !== undefined, (rows) =>
      rows.where(sql<boolean>`identifier = any(${[...(identifiers ?? [])]}::text[])`),
    );

  return {
    async insert(tenantId: string, api: NewResourceServer): Promise<void> {
      const { id, identifier, name, isSystem, body } = api;
      try {
        await db
          .insertInto('resource_servers')
          .values({
            tenant_id: tenantId,
            id,
            identifier,
            name,
            is_system: isSystem,
            body: JSON.stringify(body),
            signing_secret:
              api.signingSecret === undefined ? null : sealer.seal(api.signingSecret, secretContext(tenantId, id)),
          })
          .execute();
      } catch (cause) {
        const taken = violatedConstraint(cause) === 'resource_servers_identifier_taken';
        throw taken ? resourceServerErrors.identifierTaken({}, { cause }) : cause;
      }
    },

    async find(tenantId: string, idOrIdentifier: string): Promise<ResourceServer | undefined> {
      return one(tenantId, await byName(tenantId, idOrIdentifier).executeTakeFirst());
    },

    /** The API, locked until the transaction ends: parallel changes follow each other and lose nothing. */
    async lock(tenantId: string, idOrIdentifier: string): Promise<ResourceServer | undefined> {
      return one(tenantId, await byName(tenantId, idOrIdentifier).forUpdate().executeTakeFirst());
    },

    async findByIdentifier(tenantId: string, identifier: string): Promise<ResourceServer | undefined> {
      return one(tenantId, await rowsOf(tenantId).selectAll().where('identifier', '=', identifier).executeTakeFirst());
    },

    /** Whether the access tokens of an API are signed with PS256 or RS512. */
    async signsBesidesRs256(tenantId: string): Promise<boolean> {
      const rows = db.selectFrom('resource_servers').select('id').where('tenant_id', '=', tenantId).limit(1);
      const found = rows.where(sql<boolean>`body->>'signing_alg' in ('PS256', 'RS512')`);
      return (await found.executeTakeFirst()) !== undefined;
    },

    async findSystem(tenantId: string): Promise<ResourceServer | undefined> {
      return one(tenantId, await rowsOf(tenantId).selectAll().where('is_system', '=', true).executeTakeFirst());
    },

    async update(
      tenantId: string,
      id: string,
      change: { name: string; body: Json; signingSecret: string | undefined },
    ): Promise<void> {
      const { name, body, signingSecret } = change;
      await db
        .updateTable('resource_servers')
        .set({
          name,
          body: JSON.stringify(body),
          signing_secret: signingSecret === undefined ? null : sealer.seal(signingSecret, secretContext(tenantId, id)),
          updated_at: sql`now()`,
        })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .execute();
    },

    /** Those with a signing secret, without opening it. */
    async listSealed(tenantId: string): Promise<{ id: string; identifier: string }[]> {
      return rowsOf(tenantId)
        .select(['id', 'identifier'])
        .where('signing_secret', 'is not', null)
        .orderBy('seq')
        .execute();
    },

    /** Without a look at the one before, which may not open any more. */
    async replaceSigningSecret(tenantId: string, id: string, secret: string): Promise<void> {
      await db
        .updateTable('resource_servers')
        .set({ signing_secret: sealer.seal(secret, secretContext(tenantId, id)), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .execute();
    },

    async remove(tenantId: string, id: string): Promise<void> {
      await db.deleteFrom('resource_servers').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    },

    async page(
      tenantId: string,
      filter: ResourceServerFilter,
      offset: number,
      limit: number,
    ): Promise<ResourceServer[]> {
      const rows = filtered(tenantId, filter).selectAll().orderBy('seq').offset(offset).limit(limit);
      return (await rows.execute()).map((row) => opened(tenantId, row));
    },

    /** The first APIs of a search behind a position. Each statement sees what was committed before it. */
    async search(
      tenantId: string,
      { condition, key }: ResourceServerSearch,
      behind: SearchPosition,
      limit: number,
    ): Promise<(SearchPosition & { api: ResourceServer })[]> {
      const found = (database: Database) =>
        database
          .selectFrom('resource_servers')
          .select(['id', 'identifier', 'name', 'is_system', 'body', 'seq', key.as('key')])
          .where('tenant_id', '=', tenantId)
          .where(condition)
          .where(sql<boolean>`(${key}, seq) > (${behind.key}, ${behind.seq}::bigint)`)
          .orderBy(key)
          .orderBy('seq')
          .limit(limit)
          .execute();
      const rows = await runWithin(db, LONGEST_SEARCH_MS, found, (cause) =>
        resourceServerErrors.searchTimeout({}, { cause }),
      );
      return rows.map((row) => ({ api: fromRow(row, undefined), key: row.key, seq: row.seq }));
    },

    async count(tenantId: string, filter: ResourceServerFilter): Promise<number> {
      const row = await filtered(tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}
