import type { Client } from '../../clients/client.ts';
import { type Connection, isOpenTo } from '../../connections/connection.ts';
import { authorizeErrors } from './authorize-errors.ts';

/** The connection that a request names must exist and be enabled for the client (attack L7). */
export async function checkConnection(
  client: Client,
  name: string | undefined,
  findByName: (name: string) => Promise<Connection | undefined>,
): Promise<Connection | undefined> {
  if (name === undefined) return undefined;
  const connection = await findByName(name);
  if (!connection) throw authorizeErrors.connectionNotFound();
  if (!isOpenTo(connection, client)) throw authorizeErrors.connectionNotEnabled();
  return connection;
}
