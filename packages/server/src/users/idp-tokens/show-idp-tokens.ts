import type { ManagementCall } from '../../management/call.ts';
import { isSameIdentity } from '../identity-profile.ts';
import type { User } from '../user.ts';
import { identityToWire, toWire } from '../user-wire.ts';
import type { IdpTokenStore, OwnedTokens } from './idp-token-store.ts';

const SCOPE = 'read:user_idp_tokens';

type Call = Pick<
  ManagementCall<{ readonly idpTokens: IdpTokenStore }>,
  'tenant' | 'actor' | 'stores' | 'accessedSecrets'
>;

/** Users as the Management API shows them: with the tokens that other systems gave them for whoever may read these. */
export async function withIdpTokens(call: Call, users: readonly User[]): Promise<Record<string, unknown>[]> {
  if (!call.actor.scopes.has(SCOPE)) return users.map(toWire);
  const owned = await call.stores.idpTokens.ofUsers(
    call.tenant.tenantId,
    users.map(({ userId }) => userId),
  );
  if (owned.length > 0) call.accessedSecrets([...new Set(owned.flatMap(({ tokens }) => Object.keys(tokens)))].sort());
  return users.map((user) => ({ ...toWire(user), identities: identitiesOf(user, owned) }));
}

function identitiesOf({ userId, identities }: User, owned: readonly OwnedTokens[]): Record<string, unknown>[] {
  return identities.map((identity) => ({
    ...identityToWire(identity),
    ...owned.find((one) => one.ownerId === userId && isSameIdentity(one, identity))?.tokens,
  }));
}
