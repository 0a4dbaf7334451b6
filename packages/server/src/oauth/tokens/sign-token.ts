import { SignJWT } from 'jose';
import type { Client } from '../../clients/client.ts';
import type { ResourceServer } from '../../resource-servers/resource-server.ts';

type Claims = Record<string, unknown>;

/** Signs with what the token's reader expects: the tenant's key, or a shared secret where HS256 was configured. */
export interface SignToken {
  forApi(tenantId: string, api: ResourceServer, claims: Claims, typ: 'JWT' | 'at+jwt'): Promise<string>;
  /** `typ` is JWT for ID tokens. */
  forClient(tenantId: string, client: Client, claims: Claims, typ?: 'JWT' | 'logout+jwt'): Promise<string>;
}

interface Parts {
  readonly signWithTenantKey: (
    tenantId: string,
    claims: Claims,
    options: { typ: string; algorithm: 'RS256' | 'RS512' | 'PS256' },
  ) => Promise<string>;
}

export function createSignToken({ signWithTenantKey }: Parts): SignToken {
  return {
    async forApi(tenantId, api, claims, typ) {
      if (api.signingAlg !== 'HS256') return signWithTenantKey(tenantId, claims, { typ, algorithm: api.signingAlg });
      if (api.signingSecret === undefined)
        throw new Error(`The API ${api.identifier} signs with HS256 but has no signing secret.`);
      return signWithSecret(Buffer.from(api.signingSecret), claims, typ);
    },
    async forClient(tenantId, client, claims, typ = 'JWT') {
      const { alg } = client.jwtConfiguration;
      if (alg !== 'HS256') return signWithTenantKey(tenantId, claims, { typ, algorithm: alg });
      const secret = sharedSecretOf(client);
      if (secret === undefined) throw new Error(`The client ${client.clientId} signs with HS256 but has no secret.`);
      return signWithSecret(secret, claims, typ);
    },
  };
}

/** What a client signs with HS256: the bytes of its secret, or those that it encodes. */
export function sharedSecretOf({ secret, jwtConfiguration }: Client): Uint8Array | undefined {
  return secret === undefined ? undefined : Buffer.from(secret, jwtConfiguration.secretEncoded ? 'base64' : 'utf8');
}

function signWithSecret(secret: Uint8Array, claims: Claims, typ: string): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ }).sign(secret);
}
