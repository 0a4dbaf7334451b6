import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Json } from '../kit/json-values.ts';
import type { Sealer } from '../kit/seal.ts';
import type { Client } from './client.ts';
import { type ClientRow, fromRow } from './client-row.ts';
import { readCredentials } from './credential-store.ts';

declare module '../db/database.ts' {
  interface Tables {
    clients: ClientTable;
  }
}

interface ClientTable {
  tenant_id: string;
  client_id: string;
  seq: Generated<string>;
  name: string;
  is_global: Generated<boolean>;
  is_system: Generated<boolean>;
  body: JSONColumnType<Record<string, unknown>>;
  secret: Buffer | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface NewClient {
  readonly clientId: string;
  readonly name: string;
  readonly isGlobal: boolean;
  readonly isSystem: boolean;
  readonly body: Json;
  readonly secret: string;
}

export interface ClientFilter {
  readonly isGlobal?: boolean | undefined;
  readonly isFirstParty?: boolean | undefined;
  readonly appTypes?: readonly string[] | undefined;
  readonly externalClientId?: string | undefined;
  /** Clients with a grant that allows any organization, or with none. */
  readonly allowAnyOrganization?: boolean | undefined;
  /** Clients with a grant for this organization: there are none before organizations exist. */
  readonly organizationId?: string | undefined;
}

/** A client with its place in lists. */
export interface ListedClient {
  readonly position: string;
  readonly client: Client;
}

export type ClientStore = ReturnType<typeof createClientStore>;

export function createClientStore(db: Database, sealer: Sealer) {
  const secretContext = (tenantId: string, clientId: string) => `${tenantId}/clients/${clientId}/secret`;

  async function toClients(tenantId: string, rows: readonly ClientRow[]): Promise<ListedClient[]> {
    const withKeys = rows
      .filter(({ body }) => body.client_authentication_methods || body.signed_request_object)
      .map((row) => row.client_id);
    const credentials = await readCredentials(db, tenantId, withKeys);
    return rows.map((row) => {
      const secret = row.secret
        ? sealer.open(row.secret, secretContext(tenantId, row.client_id)).toString()
        : undefined;
      const own = credentials.filter((credential) => credential.clientId === row.client_id);
      return { position: row.seq, client: fromRow(row, secret, own) };
    });
  }

  const one = async (tenantId: string, row: ClientRow | undefined) =>
    row ? (await toClients(tenantId, [row]))[0]?.client : undefined;

  const byId = (tenantId: string, clientId: string) =>
    db.selectFrom('clients').selectAll().where('tenant_id', '=', tenantId).where('client_id', '=', clientId);

  return {
    async insert(tenantId: string, client: NewClient): Promise<void> {
      await db
        .insertInto('clients')
        .values({
          tenant_id: tenantId,
          client_id: client.clientId,
          name: client.name,
          is_global: client.isGlobal,
          is_system: client.isSystem,
          body: JSON.stringify(client.body),
          secret: sealer.seal(client.secret, secretContext(tenantId, client.clientId)),
        })
        .execute();
    },

    async find(tenantId: string, clientId: string): Promise<Client | undefined> {
      return one(tenantId, await byId(tenantId, clientId).executeTakeFirst());
    },

    /** The client, locked until the transaction ends: parallel changes follow each other and lose nothing. */
    async lock(tenantId: string, clientId: string): Promise<Client | undefined> {
      return one(tenantId, await byId(tenantId, clientId).forUpdate().executeTakeFirst());
    },

    async update(
      tenantId: string,
      clientId: string,
      change: { name: string; body: Json; secret?: string | undefined },
    ): Promise<void> {
      const { name, body, secret } = change;
      await db
        .updateTable('clients')
        .set({
          name,
          body: JSON.stringify(body),
          updated_at: sql`now()`,
          ...(secret === undefined ? {} : { secret: sealer.seal(secret, secretContext(tenantId, clientId)) }),
        })
        .where('tenant_id', '=', tenantId)
        .where('client_id', '=', clientId)
        .execute();
    },

    /** Those with a secret, without opening it. */
    async listSealed(tenantId: string): Promise<{ clientId: string; name: string }[]> {
      return db
        .selectFrom('clients')
        .select(['client_id as clientId', 'name'])
        .where('tenant_id', '=', tenantId)
        .where('secret', 'is not', null)
        .orderBy('seq')
        .execute();
    },

    /** Without a look at the one before, which may not open any more. */
    async replaceSecret(tenantId: string, clientId: string, secret: string): Promise<void> {
      await db
        .updateTable('clients')
        .set({ secret: sealer.seal(secret, secretContext(tenantId, clientId)), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('client_id', '=', clientId)
        .execute();
    },

    /** Its grants, credentials, codes and tokens go with it (foreign keys); used assertions have none. */
    async remove(tenantId: string, clientId: string): Promise<void> {
      await sql`delete from client_assertions where tenant_id = ${tenantId} and client_id = ${clientId}`.execute(db);
      await sql`delete from login_transactions where tenant_id = ${tenantId} and client_id = ${clientId}`.execute(db);
      await db.deleteFrom('clients').where('tenant_id', '=', tenantId).where('client_id', '=', clientId).execute();
    },

    /** Whether the ID tokens of a client are signed with PS256 or RS512. */
    async signsBesidesRs256(tenantId: string): Promise<boolean> {
      const rows = db.selectFrom('clients').select('client_id').where('tenant_id', '=', tenantId).limit(1);
      const found = rows.where(sql<boolean>`body->'jwt_configuration'->>'alg' in ('PS256', 'RS512')`);
      return (await found.executeTakeFirst()) !== undefined;
    },

    async findGlobal(tenantId: string): Promise<Client | undefined> {
      const rows = db.selectFrom('clients').selectAll().where('tenant_id', '=', tenantId).where('is_global', '=', true);
      return one(tenantId, await rows.executeTakeFirst());
    },

    async page(tenantId: string, filter: ClientFilter, offset: number, limit: number): Promise<ListedClient[]> {
      const rows = listed(db, tenantId, filter).selectAll().orderBy('seq').offset(offset).limit(limit);
      return toClients(tenantId, await rows.execute());
    },

    async after(
      tenantId: string,
      filter: ClientFilter,
      position: string | undefined,
      limit: number,
    ): Promise<ListedClient[]> {
      let rows = listed(db, tenantId, filter).selectAll().orderBy('seq').limit(limit);
      if (position !== undefined) rows = rows.where('seq', '>', position);
      return toClients(tenantId, await rows.execute());
    },

    async count(tenantId: string, filter: ClientFilter): Promise<number> {
      const row = await listed(db, tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}

/** What GET /clients walks through: the global client is in it, system clients are not. */
function listed(db: Database, tenantId: string, filter: ClientFilter) {
  let rows = db.selectFrom('clients').where('tenant_id', '=', tenantId).where('is_system', '=', false);
  if (filter.isGlobal !== undefined) rows = rows.where('is_global', '=', filter.isGlobal);
  if (filter.isFirstParty !== undefined) {
    rows = rows.where(sql<boolean>`coalesce((body->>'is_first_party')::boolean, true) = ${filter.isFirstParty}`);
  }
  if (filter.appTypes) rows = rows.where(sql<boolean>`body->>'app_type' = any(${[...filter.appTypes]}::text[])`);
  if (filter.externalClientId !== undefined) {
    rows = rows.where(sql<boolean>`body->>'external_client_id' = ${filter.externalClientId}`);
  }
  if (filter.allowAnyOrganization !== undefined) rows = rows.where(allowsAnyOrganization(filter.allowAnyOrganization));
  if (filter.organizationId !== undefined) rows = rows.where(sql<boolean>`false`);
  return rows;
}

function allowsAnyOrganization(expected: boolean) {
  return sql<boolean>`exists (
    select from client_grants
    where client_grants.tenant_id = clients.tenant_id and client_grants.client_id = clients.client_id
      and coalesce((client_grants.body->>'allow_any_organization')::boolean, false) = ${expected})`;
}
