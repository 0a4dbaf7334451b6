import type { Management, ManagementCall } from '../management/call.ts';
import { addCredential, findCredential, removeCredential, setCredentialExpiry } from './client-credentials.ts';
import { clientErrors } from './client-errors.ts';
import type { ClientStores } from './create-client.ts';
import { credentialToWire } from './credential.ts';

type Call = ManagementCall<ClientStores>;

/** /clients/{client_id}/credentials of the Management API: public keys, never private ones. */
export function clientCredentialRoutes<Stores extends ClientStores>(
  management: Management<Stores>,
  parts: { readonly now: () => Date },
): void {
  management.route('GET /clients/{client_id}/credentials', async (call) => {
    await checkClientExists(call);
    const credentials = await call.stores.credentials.list(call.tenant.tenantId, clientIdOf(call));
    return credentials.map(credentialToWire);
  });

  management.route('POST /clients/{client_id}/credentials', async (call) =>
    call.commit(async (stores) =>
      credentialToWire(await addCredential(stores, call.tenant.tenantId, clientIdOf(call), call.body, parts.now())),
    ),
  );

  management.route('GET /clients/{client_id}/credentials/{credential_id}', async (call) => {
    await checkClientExists(call);
    return credentialToWire(
      await findCredential(call.stores, call.tenant.tenantId, clientIdOf(call), credentialIdOf(call)),
    );
  });

  management.route('PATCH /clients/{client_id}/credentials/{credential_id}', async (call) =>
    call.commit(async (stores) =>
      credentialToWire(
        await setCredentialExpiry(stores, call.tenant.tenantId, clientIdOf(call), credentialIdOf(call), call.body),
      ),
    ),
  );

  management.route('DELETE /clients/{client_id}/credentials/{credential_id}', async (call) =>
    call.commit((stores) => removeCredential(stores, call.tenant.tenantId, clientIdOf(call), credentialIdOf(call))),
  );
}

const clientIdOf = (call: Call) => call.params.client_id ?? '';
const credentialIdOf = (call: Call) => call.params.credential_id ?? '';

async function checkClientExists(call: Call): Promise<void> {
  const client = await call.stores.clients.find(call.tenant.tenantId, clientIdOf(call));
  if (!client || client.isSystem) throw clientErrors.notFound();
}
