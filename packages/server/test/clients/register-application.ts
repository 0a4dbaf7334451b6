import { type Management, ManagementClient } from 'auth0';
import type { ServerProcess } from '../server-process.ts';

export interface Application {
  readonly clientId: string;
  readonly clientSecret: string;
  update(changes: Management.UpdateClientRequestContent): Promise<void>;
}

/** The Management API of a server's first tenant, with all scopes. */
export function managementOf({ origin, firstRun }: ServerProcess): ManagementClient {
  const { client_id: clientId, client_secret: clientSecret } = firstRun.management;
  return new ManagementClient({ domain: new URL(origin).host, clientId, clientSecret });
}

/** A new application of the first tenant, which logs in with the tenant's database. */
export async function registerApplication(
  server: ServerProcess,
  properties: Management.CreateClientRequestContent,
): Promise<Application> {
  const auth0 = managementOf(server);
  const { client_id: clientId = '', client_secret: clientSecret = '' } = await auth0.clients.create(properties);
  const [connection] = (await auth0.connections.list({ name: server.firstRun.connection })).data;
  await auth0.connections.clients.update(connection?.id ?? '', [{ client_id: clientId, status: true }]);
  return {
    clientId,
    clientSecret,
    async update(changes) {
      await auth0.clients.update(clientId, changes);
    },
  };
}
