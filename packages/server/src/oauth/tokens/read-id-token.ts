import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { VerifyJwt } from '../../keys/verify-jwt.ts';
import type { ReadIdToken } from '../authorize/check-id-token-hint.ts';
import { sharedSecretOf } from './sign-token.ts';

/** Reads back an ID token that we signed. Its age does not matter: it says who somebody was, and opens nothing. */
export function createIdTokenReader({ verifyJwt }: { verifyJwt: VerifyJwt }): ReadIdToken {
  return async (tenantId, client, token) => {
    try {
      if (decodeProtectedHeader(token).alg === 'HS256') {
        const secret = client.jwtConfiguration.alg === 'HS256' ? sharedSecretOf(client) : undefined;
        if (!secret) return undefined;
        return (await jwtVerify(token, secret, { algorithms: ['HS256'], currentDate: new Date(0) })).payload;
      }
    } catch {
      return undefined;
    }
    const result = await verifyJwt(tenantId, token, { typ: 'JWT', acceptsExpired: true });
    return result.valid ? result.claims : undefined;
  };
}
