import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type PublishedKey, pkcs7Of, toPublishedKey } from './signing-key.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

/** A tenant's keys, ready for use; the configuration cache keeps it. */
export interface KeyRing {
  readonly current: { readonly kid: string; readonly privateKey: KeyObject; readonly certificate: CertificateForms };
  /** By kid: every key that is not revoked. */
  readonly verifying: ReadonlyMap<string, KeyObject>;
  readonly jwks: { readonly keys: readonly PublishedKey[] };
}

/** The current certificate in the forms of /pem, /cer, /rawpem and /pb7, and of a client's `signing_keys`. */
export interface CertificateForms {
  readonly pem: string;
  readonly der: Buffer;
  readonly pkcs7: string;
  /** `/CN=dev.localhost` */
  readonly subject: string;
}

interface Needs {
  readonly signingKeys: Pick<SigningKeyStore, 'load'>;
  /** The configuration cache (tenants/tenant-cache.ts). */
  readonly cache: { get<Value>(tenantId: string, name: string, load: () => Promise<Value>): Promise<Value> };
}

export type KeyRings = ReturnType<typeof createKeyRings>;

export function createKeyRings({ signingKeys, cache }: Needs) {
  const ringOf = (tenantId: string): Promise<KeyRing> =>
    cache.get(tenantId, 'signing-keys', () => loadRing(signingKeys, tenantId));

  return {
    ringOf,
    /** The public key of this tenant under this kid; undefined when it is unknown or revoked. */
    verificationKey: async (tenantId: string, kid: string): Promise<KeyObject | undefined> =>
      (await ringOf(tenantId)).verifying.get(kid),
    /** The body of /.well-known/jwks.json: current, next, then previous keys until they are revoked. */
    jwks: async (tenantId: string) => (await ringOf(tenantId)).jwks,
    certificate: async (tenantId: string): Promise<CertificateForms> => (await ringOf(tenantId)).current.certificate,
  };
}

async function loadRing(signingKeys: Needs['signingKeys'], tenantId: string): Promise<KeyRing> {
  const { keys, privateKey } = await signingKeys.load(tenantId);
  const current = keys.find((key) => key.state === 'current');
  if (!current || !privateKey) throw new Error(`The tenant ${tenantId} has no current signing key.`);
  const certificate = new X509Certificate(current.certificate);
  return {
    current: {
      kid: current.kid,
      privateKey,
      certificate: {
        pem: current.certificate,
        der: certificate.raw,
        pkcs7: pkcs7Of(current.certificate),
        subject: `/${certificate.subject}`,
      },
    },
    verifying: new Map(
      keys.map(({ kid, publicJwk }) => [kid, createPublicKey({ key: { ...publicJwk }, format: 'jwk' })]),
    ),
    jwks: { keys: keys.map(toPublishedKey) },
  };
}
