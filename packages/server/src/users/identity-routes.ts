import { textOf } from '../kit/json-values.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import { managementErrors, unauthorized } from '../management/management-errors.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { RevokeAccess } from './change-user.ts';
import {
  type LinkStores,
  linkIdentities,
  type ProvenAccount,
  type Secondary,
  unlinkIdentity,
} from './link-identities.ts';
import { userErrors } from './user.ts';
import { identityToWire } from './user-wire.ts';

interface Needs<Stores> {
  readonly revokeAccess: RevokeAccess<Stores>;
  /** Whether the login that a token with this `jti` came of goes on, as the transaction sees it. */
  readonly isLoginAlive: (stores: Stores, tenantId: string, tokenId: string | undefined) => Promise<boolean>;
  /**
   * The user whom an ID token of this tenant is about: not expired, and made for this client, or for any of the tenant's
   * where none is named. Undefined where it is no such token.
   */
  readonly readLinkToken: (
    tenant: Tenant,
    token: string,
    clientId: string | undefined,
  ) => Promise<ProvenAccount | undefined>;
}

/** /users/{id}/identities: linking and unlinking accounts. A user's own token links by an ID token, which proves the other login. */
export function identityRoutes<Stores extends LinkStores>(
  management: Management<Stores>,
  { revokeAccess, isLoginAlive, readLinkToken }: Needs<Stores>,
): void {
  management.route('POST /users/{id}/identities', async (call) => {
    const secondary = await secondaryOf(call);
    return call.commit(async (stores) => {
      const { tenantId } = call.tenant;
      const identities = await linkIdentities(stores, tenantId, idOf(call), secondary, revokeAccess);
      // It waited for the account's row: a reset may have handed the account to its owner meanwhile.
      if (call.onlyOwnUser && !(await isLoginAlive(stores, tenantId, call.actor.jti))) throw unauthorized('invalid');
      return identities.map(identityToWire);
    });
  });

  management.route('DELETE /users/{id}/identities/{provider}/{user_id}', async (call) =>
    call.commit(async (stores) => {
      const { provider = '', user_id = '' } = call.params;
      const named = { provider, identityUserId: withoutPrefix(provider, user_id) };
      const identities = await unlinkIdentity(stores, call.tenant.tenantId, idOf(call), named, revokeAccess);
      return identities.map(identityToWire);
    }),
  );

  async function secondaryOf(call: ManagementCall<Stores>): Promise<Secondary> {
    const { provider, user_id, connection_id, link_with } = call.body;
    const token = textOf(link_with);
    if (token !== undefined) {
      if (provider !== undefined || user_id !== undefined || connection_id !== undefined)
        throw managementErrors.invalidBody({
          problem: "'link_with excludes provider, user_id and connection_id'",
        });
      const owner = await readLinkToken(call.tenant, token, call.onlyOwnUser ? call.actor.clientId : undefined);
      if (!owner) throw userErrors.invalidLinkToken();
      return owner;
    }
    // Only a login proves that both accounts are the same person's (attack K1).
    if (call.onlyOwnUser) throw managementErrors.insufficientScope({ scopes: 'update:users' });
    const name = textOf(provider);
    if (name === undefined || (typeof user_id !== 'string' && typeof user_id !== 'number'))
      throw managementErrors.invalidBody({ problem: "'Missing required property: provider, user_id or link_with'" });
    return {
      provider: name,
      identityUserId: withoutPrefix(name, String(user_id)),
      connectionId: textOf(connection_id),
    };
  }
}

/** Callers send the id with its provider as well. */
function withoutPrefix(provider: string, userId: string): string {
  return userId.startsWith(`${provider}|`) ? userId.slice(provider.length + 1) : userId;
}

function idOf({ params }: Pick<ManagementCall<unknown>, 'params'>): string {
  return params.id ?? '';
}
