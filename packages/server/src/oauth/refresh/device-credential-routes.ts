import { prefixedId } from '../../kit/ids.ts';
import { textOf } from '../../kit/json-values.ts';
import type { Management } from '../../management/call.ts';
import { managementErrors } from '../../management/management-errors.ts';
import type { DeviceCredential, DeviceCredentialStore } from './device-credential-store.ts';
import type { RefreshTokenListStore } from './refresh-token-list-store.ts';

interface Stores {
  readonly deviceCredentials: DeviceCredentialStore;
  readonly refreshTokenLists: Pick<RefreshTokenListStore, 'revoke'>;
}

const LONGEST_NAME = 255;
const LONGEST_KEY = 8_192;

/** /device-credentials of the Management API: public keys (legacy) and refresh tokens. A user's own token acts on that user alone. */
export function deviceCredentialRoutes<Own extends Stores>(
  management: Management<Own>,
  { now }: { readonly now: () => Date },
): void {
  management.route('GET /device-credentials', async (call) => {
    const { tenantId } = call.tenant;
    const { deviceCredentials } = call.stores;
    const { user_id, client_id, type } = call.query;
    const filter = { userId: textOf(user_id), clientId: textOf(client_id), type: textOf(type) };
    return call.list('device_credentials', {
      page: (offset, limit) => deviceCredentials.page(tenantId, filter, now(), offset, limit),
      count: () => deviceCredentials.count(tenantId, filter, now()),
      toWire,
    });
  });

  management.route('POST /device-credentials', async (call) => {
    const { actor, body, tenant } = call;
    // Its only scope is an end user's, so the token has one.
    if (actor.userId === undefined) throw managementErrors.otherUser();
    const key = {
      id: prefixedId('dcr'),
      userId: actor.userId,
      clientId: textOf(body.client_id) ?? actor.clientId,
      deviceId: bounded('device_id', body.device_id, LONGEST_NAME),
      deviceName: bounded('device_name', body.device_name, LONGEST_NAME),
      value: bounded('value', body.value, LONGEST_KEY),
    };
    return call.commit(async ({ deviceCredentials }) => {
      await deviceCredentials.insertKey(tenant.tenantId, key);
      return { id: key.id };
    });
  });

  management.route('DELETE /device-credentials/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const id = call.params.id ?? '';
    return call.commit(async ({ deviceCredentials, refreshTokenLists }) => {
      const [credential] = await deviceCredentials.page(tenantId, { id }, now(), 0, 1);
      if (!credential) return;
      if (call.onlyOwnUser && credential.userId !== call.actor.userId) throw managementErrors.otherUser();
      if (credential.type === 'public_key') await deviceCredentials.removeKey(tenantId, id);
      else await refreshTokenLists.revoke(tenantId, { tokenIds: [id] }, now());
    });
  });
}

function bounded(property: string, value: unknown, maximum: number): string {
  const text = textOf(value) ?? '';
  if (text.length > maximum) {
    throw managementErrors.invalidBody({
      problem: `'String is too long (${text.length} chars), maximum ${maximum}' on property ${property}`,
    });
  }
  return text;
}

function toWire(credential: DeviceCredential): Record<string, unknown> {
  return {
    id: credential.id,
    device_name: credential.deviceName,
    ...(credential.deviceId !== undefined && { device_id: credential.deviceId }),
    type: credential.type,
    user_id: credential.userId,
    client_id: credential.clientId,
  };
}
