import type { TokenGrantStore } from '../oauth/tokens/token-grant-store.ts';
import type { JoinedAccountStore } from '../sessions/joined-account-store.ts';
import type { RevokeAccess } from './change-user.ts';
import { hasUnprovedAddress, profileFrom, profileOf } from './identity-profile.ts';
import type { IdentityStore } from './identity-store.ts';
import { type Identity, ordinaryUser, type User, userErrors } from './user.ts';
import type { UserStore } from './user-store.ts';

export interface LinkStores {
  readonly users: Pick<UserStore, 'lock' | 'remove' | 'find' | 'update'>;
  readonly identities: IdentityStore;
  readonly joinedAccounts: Pick<JoinedAccountStore, 'note'>;
  readonly tokenGrants: Pick<TokenGrantStore, 'noteJoined'>;
}

/** The account that becomes part of another: by one of its identities, or whole, as an ID token names it. */
export type Secondary =
  | { readonly provider: string; readonly identityUserId: string; readonly connectionId: string | undefined }
  | ProvenAccount;

/** Whom an ID token is about, and when it was made. */
export interface ProvenAccount {
  readonly userId: string;
  readonly provenAt: Date;
}

/**
 * Links two accounts: the secondary user ends with sessions, tokens, roles and metadata, and its identities log in the
 * primary one. What tenant code interrupted of its logins may go on as the primary one's (decision 36). Both rows are locked, in the order of their ids, so that of parallel links one wins and none waits for ever.
 */
export async function linkIdentities<Stores extends LinkStores>(
  stores: Stores,
  tenantId: string,
  primaryId: string,
  secondary: Secondary,
  revokeAccess: RevokeAccess<Stores>,
): Promise<readonly Identity[]> {
  const secondaryId = 'userId' in secondary ? secondary.userId : await ownerOf(stores, tenantId, secondary);
  if (secondaryId === primaryId) throw userErrors.linkedAlready();
  const locked = new Map<string, User>();
  for (const userId of [primaryId, secondaryId].sort()) {
    locked.set(userId, await lockUser(stores, tenantId, userId));
  }
  const primary = ordinaryUser(locked.get(primaryId));
  const joining = ordinaryUser(locked.get(secondaryId));
  const [main] = joining.identities;
  // Its name leads to a user whom somebody linked it to: only unlinking sets it free.
  if (!main || ('provider' in secondary && !isNamed(main, secondary))) throw userErrors.linkedAlready();
  if ('userId' in secondary && !isStillProven(joining, secondary)) throw userErrors.invalidLinkToken();
  await stores.joinedAccounts.note(tenantId, joining, primaryId);
  await stores.tokenGrants.noteJoined(tenantId, secondaryId, primaryId);
  // Before the rows go: what is told to applications starts from them.
  await revokeAccess(stores, tenantId, secondaryId, 'session-revoked');
  await stores.identities.setProfile(tenantId, main, profileOf(joining));
  if (hasUnprovedAddress(joining)) await stores.identities.distrustAddress(tenantId, main);
  await stores.identities.moveAll(tenantId, secondaryId, primaryId, { userUnproved: hasUnprovedAddress(primary) });
  await stores.users.remove(tenantId, secondaryId);
  await stores.users.update(tenantId, primary);
  return ordinaryUser(await stores.users.find(tenantId, primaryId)).identities;
}

/** Makes an account of its own of a linked identity again, with its profile and without metadata. The main one stays. */
export async function unlinkIdentity<Stores extends LinkStores>(
  stores: Stores,
  tenantId: string,
  userId: string,
  named: { readonly provider: string; readonly identityUserId: string },
  revokeAccess: RevokeAccess<Stores>,
): Promise<readonly Identity[]> {
  const user = await lockUser(stores, tenantId, userId);
  const [main, ...others] = user.identities;
  if (main && isNamed(main, named)) throw userErrors.mainIdentity();
  const identity = others.find((other) => isNamed(other, named));
  if (!identity) throw userErrors.identityNotFound();
  // A browser that logged in with the identity must not stay in an account that is no longer its owner's.
  await revokeAccess(stores, tenantId, userId, 'session-revoked');
  await splitIdentity(stores, tenantId, identity);
  await stores.users.update(tenantId, user);
  return ordinaryUser(await stores.users.find(tenantId, userId)).identities;
}

/** Makes an account of its own of a linked identity; answers its id. */
export async function splitIdentity(
  { identities }: Pick<LinkStores, 'identities'>,
  tenantId: string,
  identity: Identity,
): Promise<string> {
  const ownId = ownIdOf(identity);
  await identities.split(tenantId, identity, ownId, profileFrom(identity.profileData));
  return ownId;
}

/** Of the account that an identity is when it is linked to none. */
export const ownIdOf = ({ provider, userId }: Identity): string => `${provider}|${userId}`;

/** A stolen token must not outlive the new password, nor take an account from under its block. */
function isStillProven({ blocked, lastPasswordReset }: User, { provenAt }: ProvenAccount): boolean {
  return !blocked && (lastPasswordReset === undefined || lastPasswordReset <= provenAt);
}

/** A statement that waited for the lock shows the identities of before: they are read once more. */
async function lockUser({ users }: LinkStores, tenantId: string, userId: string): Promise<User> {
  await users.lock(tenantId, userId);
  return ordinaryUser(await users.find(tenantId, userId));
}

async function ownerOf(
  { identities }: LinkStores,
  tenantId: string,
  { provider, identityUserId, connectionId }: Extract<Secondary, { provider: string }>,
): Promise<string> {
  const [owner, another] = await identities.owners(tenantId, provider, identityUserId, connectionId);
  if (!owner) throw userErrors.notFound();
  if (another) throw userErrors.invalid({ reason: 'The user is known in several connections: name connection_id' });
  return owner.userId;
}

function isNamed(
  identity: Identity,
  named: { readonly provider: string; readonly identityUserId: string; readonly connectionId?: string | undefined },
): boolean {
  return (
    identity.provider === named.provider &&
    identity.userId === named.identityUserId &&
    (named.connectionId === undefined || identity.connectionId === named.connectionId)
  );
}
