import { type Generated, type JSONColumnType, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { flagOf, type Json, oneOf, textsOf } from '../kit/json-values.ts';
import type { ClientGrant, SubjectType } from './client-grant.ts';

declare module '../db/database.ts' {
  interface Tables {
    client_grants: ClientGrantTable;
  }
}

interface ClientGrantTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  client_id: string;
  resource_server_id: string;
  subject_type: SubjectType;
  body: JSONColumnType<Record<string, unknown>>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface NewClientGrant {
  readonly id: string;
  readonly clientId: string;
  readonly resourceServerId: string;
  readonly subjectType: SubjectType;
  /** With its scopes. */
  readonly body: Json;
}

export interface ClientGrantFilter {
  readonly clientId?: string | undefined;
  /** As it is stored: MANAGEMENT_IDENTIFIER for the system API. */
  readonly audience?: string | undefined;
  readonly subjectType?: string | undefined;
  readonly allowAnyOrganization?: boolean | undefined;
}

export interface ListedClientGrant {
  readonly position: string;
  readonly grant: ClientGrant;
}

export type InsertOutcome = 'inserted' | 'taken' | 'noClient' | 'noResourceServer';
export type ClientGrantStore = ReturnType<typeof createClientGrantStore>;

export function createClientGrantStore(db: Database) {
  const joined = (tenantId: string) =>
    db
      .selectFrom('client_grants as g')
      .innerJoin('resource_servers as r', (join) =>
        join.onRef('r.tenant_id', '=', 'g.tenant_id').onRef('r.id', '=', 'g.resource_server_id'),
      )
      .where('g.tenant_id', '=', tenantId);

  function filtered(tenantId: string, filter: ClientGrantFilter) {
    let rows = joined(tenantId);
    if (filter.clientId !== undefined) rows = rows.where('g.client_id', '=', filter.clientId);
    if (filter.audience !== undefined) rows = rows.where('r.identifier', '=', filter.audience);
    if (filter.subjectType !== undefined) rows = rows.where(sql<boolean>`g.subject_type = ${filter.subjectType}`);
    if (filter.allowAnyOrganization !== undefined) {
      rows = rows.where(
        sql<boolean>`coalesce((g.body->>'allow_any_organization')::boolean, false) = ${filter.allowAnyOrganization}`,
      );
    }
    return rows;
  }

  const columns = ['g.id', 'g.seq', 'g.client_id', 'g.resource_server_id', 'g.subject_type', 'g.body'] as const;

  return {
    async insert(tenantId: string, grant: NewClientGrant): Promise<InsertOutcome> {
      try {
        await db
          .insertInto('client_grants')
          .values({
            tenant_id: tenantId,
            id: grant.id,
            client_id: grant.clientId,
            resource_server_id: grant.resourceServerId,
            subject_type: grant.subjectType,
            body: JSON.stringify(grant.body),
          })
          .execute();
        return 'inserted';
      } catch (cause) {
        const constraint = violatedConstraint(cause);
        if (constraint === 'client_grants_taken') return 'taken';
        if (constraint === 'client_grants_client') return 'noClient';
        if (constraint === 'client_grants_resource_server') return 'noResourceServer';
        throw cause;
      }
    },

    async find(tenantId: string, id: string): Promise<ClientGrant | undefined> {
      const row = await joined(tenantId)
        .select(columns)
        .select('r.identifier')
        .where('g.id', '=', id)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** The grant, locked until the transaction ends: parallel changes follow each other and lose nothing. */
    async lock(tenantId: string, id: string): Promise<ClientGrant | undefined> {
      const rows = joined(tenantId).select(columns).select('r.identifier').where('g.id', '=', id).forUpdate('g');
      const row = await rows.executeTakeFirst();
      return row && fromRow(row);
    },

    async findFor(
      tenantId: string,
      clientId: string,
      resourceServerId: string,
      subjectType: SubjectType,
    ): Promise<ClientGrant | undefined> {
      const row = await joined(tenantId)
        .select(columns)
        .select('r.identifier')
        .where('g.client_id', '=', clientId)
        .where('g.resource_server_id', '=', resourceServerId)
        .where('g.subject_type', '=', subjectType)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    async update(tenantId: string, id: string, body: Json): Promise<void> {
      await db
        .updateTable('client_grants')
        .set({ body: JSON.stringify(body), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .execute();
    },

    async remove(tenantId: string, id: string): Promise<void> {
      await db.deleteFrom('client_grants').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    },

    async page(
      tenantId: string,
      filter: ClientGrantFilter,
      offset: number,
      limit: number,
    ): Promise<ListedClientGrant[]> {
      const rows = filtered(tenantId, filter).select(columns).select('r.identifier').orderBy('g.seq');
      return (await rows.offset(offset).limit(limit).execute()).map(toListed);
    },

    async after(
      tenantId: string,
      filter: ClientGrantFilter,
      position: string | undefined,
      limit: number,
    ): Promise<ListedClientGrant[]> {
      let rows = filtered(tenantId, filter).select(columns).select('r.identifier').orderBy('g.seq').limit(limit);
      if (position !== undefined) rows = rows.where('g.seq', '>', position);
      return (await rows.execute()).map(toListed);
    },

    async count(tenantId: string, filter: ClientGrantFilter): Promise<number> {
      const row = await filtered(tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}

interface Row {
  readonly id: string;
  readonly seq: string;
  readonly client_id: string;
  readonly resource_server_id: string;
  readonly subject_type: SubjectType;
  readonly body: Json;
  readonly identifier: string;
}

const toListed = (row: Row): ListedClientGrant => ({ position: row.seq, grant: fromRow(row) });

function fromRow(row: Row): ClientGrant {
  const { scope, ...body } = row.body;
  return {
    id: row.id,
    clientId: row.client_id,
    resourceServerId: row.resource_server_id,
    audience: row.identifier,
    scopes: textsOf(scope),
    allowAllScopes: flagOf(body.allow_all_scopes) ?? false,
    subjectType: row.subject_type,
    organizationUsage: oneOf(['deny', 'allow', 'require'], body.organization_usage) ?? 'deny',
    allowAnyOrganization: flagOf(body.allow_any_organization) ?? false,
    body,
  };
}
