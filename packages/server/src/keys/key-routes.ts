import type { Management } from '../management/call.ts';
import { fingerprintOf, pkcs7Of, type SigningKey, thumbprintOf } from './signing-key.ts';
import { found, type SigningKeyService } from './signing-key-service.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

export function keyRoutes(management: Management<{ signingKeys: SigningKeyStore }>, service: SigningKeyService): void {
  management.route('GET /keys/signing', async ({ tenant, stores }) =>
    (await stores.signingKeys.list(tenant.tenantId)).map(toWire),
  );

  management.route('GET /keys/signing/{kid}', async ({ tenant, stores, params }) =>
    toWire(found(await stores.signingKeys.find(tenant.tenantId, params.kid ?? ''))),
  );

  management.route('POST /keys/signing/rotate', async ({ tenant, origin, commit }) => {
    const key = await service.makeKey(new URL(tenant.canonicalOrigin ?? origin).hostname);
    return commit(async (stores) => toWire(await service.rotate(stores, tenant.tenantId, key)));
  });

  management.route('PUT /keys/signing/{kid}/revoke', async ({ tenant, params, commit }) =>
    commit(async (stores) => toWire(await service.revoke(stores, tenant.tenantId, params.kid ?? ''))),
  );
}

/** Auth0 breaks a certificate's lines with CR and LF. */
const crlf = (pem: string): string => pem.trimEnd().replaceAll('\n', '\r\n');

export const toWire = (key: SigningKey) => ({
  kid: key.kid,
  cert: crlf(key.certificate),
  pkcs7: crlf(pkcs7Of(key.certificate)),
  current: key.state === 'current',
  next: key.state === 'next',
  previous: key.state === 'previous',
  ...(key.currentSince && { current_since: key.currentSince.toISOString() }),
  ...(key.currentUntil && { current_until: key.currentUntil.toISOString() }),
  fingerprint: fingerprintOf(key.certificate),
  thumbprint: thumbprintOf(key.certificate),
  revoked: key.revokedAt !== undefined,
  ...(key.revokedAt && { revoked_at: key.revokedAt.toISOString() }),
});
