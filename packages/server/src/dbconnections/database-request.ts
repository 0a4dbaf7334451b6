import type { FastifyRequest } from 'fastify';
import type { Client } from '../clients/client.ts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import { FormBody } from '../http/body-parsers.ts';
import { requestErrors } from '../http/render-error.ts';
import { databaseErrors } from './database-errors.ts';

type Body = Readonly<Record<string, unknown>>;

/** What a request to /dbconnections says, and the application and the directory that it means. */
export interface DatabaseRequest {
  readonly body: Body;
  readonly client: Client;
  readonly connection: Connection;
}

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly connectionsOfClient: ConnectionDirectory['connectionsOfClient'];
}

export type ReadDatabaseRequest = ReturnType<typeof createDatabaseRequestReader>;

/** JSON or a form. Only a directory that is enabled for the application counts: others are not there (attack L7). */
export function createDatabaseRequestReader({ findClient, connectionsOfClient }: Parts) {
  return async function readDatabaseRequest(http: FastifyRequest): Promise<DatabaseRequest> {
    const { tenantId } = http.tenant;
    const body = bodyOf(http);
    const clientId = requiredText(body, 'client_id');
    const name = requiredText(body, 'connection');
    const client = await findClient(tenantId, clientId);
    if (!client || client.isGlobal) throw databaseErrors.unknownClient({ clientId: clientId.slice(0, 128) });
    const enabled = await connectionsOfClient(tenantId, client);
    const connection = enabled.find((one) => one.name === name && one.strategy === 'auth0' && !one.isSystem);
    if (!connection) throw databaseErrors.unknownConnection();
    return { body, client, connection };
  };
}

export function bodyOf({ body }: FastifyRequest): Body {
  if (body instanceof FormBody) {
    if (!body.form.wellFormed || body.form.repeated.length > 0)
      throw requestErrors.malformed({ reason: 'the form is malformed' });
    return body.form.values;
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  return { ...body };
}

/** A text of storable length; undefined where there is none. */
export function text(body: Body, name: string, longest = 320): string | undefined {
  const value = body[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || value.length > longest || !value.isWellFormed() || value.includes('\0'))
    throw requestErrors.malformed({ reason: `${name} is no text of at most ${longest} characters` });
  return value;
}

export function requiredText(body: Body, name: string, longest?: number): string {
  const value = text(body, name, longest);
  if (value === undefined) throw databaseErrors.missing({ name });
  return value;
}
