import { makeSigningKey, type NewSigningKey } from './make-signing-key.ts';
import { type SigningKey, signingKeyErrors } from './signing-key.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

/** What a tenant starts with. Making keys is slow, so they are made before the transaction that stores them. */
export interface FirstKeys {
  readonly current: NewSigningKey;
  readonly next: NewSigningKey;
}

interface Stores {
  readonly signingKeys: SigningKeyStore;
}

export type SigningKeyService = ReturnType<typeof createSigningKeyService>;

export function createSigningKeyService({ now }: { now: () => Date }) {
  /** Before the transaction; `host` is the tenant's canonical host name. */
  const makeKey = (host: string): Promise<NewSigningKey> => makeSigningKey(host, now());

  async function makeFirstKeys(host: string): Promise<FirstKeys> {
    const [current, next] = await Promise.all([makeKey(host), makeKey(host)]);
    return { current, next };
  }

  /** In the transaction that creates the tenant. */
  async function createFirstKeys({ signingKeys }: Stores, tenantId: string, keys: FirstKeys): Promise<void> {
    await signingKeys.insert(tenantId, keys.current, 'current', now());
    await signingKeys.insert(tenantId, keys.next, 'next', now());
  }

  /** Answers the key that is next from now on, as the API does. */
  async function rotate({ signingKeys }: Stores, tenantId: string, key: NewSigningKey): Promise<SigningKey> {
    await signingKeys.rotate(tenantId, key, now());
    return found(await signingKeys.find(tenantId, key.kid));
  }

  /** Only a previous key can be revoked; revoking twice changes nothing. */
  async function revoke({ signingKeys }: Stores, tenantId: string, kid: string): Promise<SigningKey> {
    const revoked = await signingKeys.revoke(tenantId, kid, now());
    if (revoked) return revoked;
    const { state } = found(await signingKeys.find(tenantId, kid));
    throw signingKeyErrors.notRevocable({ state });
  }

  return { makeKey, makeFirstKeys, createFirstKeys, rotate, revoke };
}

export function found(key: SigningKey | undefined): SigningKey {
  if (!key) throw signingKeyErrors.notFound();
  return key;
}
