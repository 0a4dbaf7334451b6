import { asIdentity, isMain, isSameIdentity, profileOf } from './identity-profile.ts';
import type { IdentityStore } from './identity-store.ts';
import { ownIdOf, splitIdentity } from './link-identities.ts';
import type { Identity, User } from './user.ts';
import type { UserStore } from './user-store.ts';

export interface ReturnStores {
  readonly users: Pick<UserStore, 'update' | 'find'>;
  readonly identities: IdentityStore;
  readonly consents: { removeOfUser(tenantId: string, userId: string): Promise<void> };
}

/**
 * Whoever resets a password over a mail owns the address. What was linked before the address was proved goes its own way: an
 * attacker may have signed up with it, and linked a login to come back with, or linked the account to the attacker's own
 * (docs/decisions/0025-linked-identities-and-recovery.md). Answers the ids of the accounts that came of it. The user is locked.
 */
export async function returnToOwner(
  stores: ReturnStores,
  tenantId: string,
  user: User,
  identity: Identity,
): Promise<readonly string[]> {
  const marks = await stores.identities.marksOf(tenantId, user.userId);
  if (!isMain(user, identity)) {
    const known = { ...asIdentity(user, identity), emailVerified: true };
    const proved = { ...identity, profileData: profileOf(known) };
    await stores.identities.setProfile(tenantId, identity, proved.profileData);
    const isForeign = marks.some((mark) => mark.addressUnproved && isSameIdentity(mark, identity));
    return isForeign ? [await splitIdentity(stores, tenantId, proved)] : [];
  }
  if (!user.emailVerified) {
    await stores.users.update(tenantId, { ...user, emailVerified: true });
    // Given by whoever was here before.
    await stores.consents.removeOfUser(tenantId, user.userId);
  }
  const split: string[] = [];
  for (const other of user.identities.slice(1)) {
    if (marks.some((mark) => mark.userUnproved && isSameIdentity(mark, other)))
      split.push(await sendAway(stores, tenantId, other));
  }
  return split;
}

/** Where somebody else has its id by now, it ends: nobody may be kept from the own account by it. */
async function sendAway(stores: ReturnStores, tenantId: string, identity: Identity): Promise<string> {
  const ownId = ownIdOf(identity);
  if (!(await stores.users.find(tenantId, ownId))) return splitIdentity(stores, tenantId, identity);
  await stores.identities.remove(tenantId, identity);
  return ownId;
}
