import { decodeJwt, importJWK, type JWTPayload, jwtVerify } from 'jose';
import type { Client } from '../../clients/client.ts';
import { digest } from '../../kit/digest.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { ClientRequest } from './authenticate-client.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export type VerifyAssertion = (request: ClientRequest, client: Client, assertion: string) => Promise<void>;

interface Parts {
  /** False when this assertion was accepted before. */
  readonly useAssertion: (tenantId: string, clientId: string, jtiHash: string, expiresAt: Date) => Promise<boolean>;
  readonly now: () => Date;
}

const MAX_LIFETIME_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 10;

/** Verifies a client assertion (RFC 7523 section 3): key and algorithm of the registered credential, audience, age, once only. */
export function createAssertionVerifier({ useAssertion, now }: Parts): VerifyAssertion {
  return async (request, client, assertion) => {
    const payload = await verify(request, client, assertion, now());
    const { jti, exp } = payload;
    if (typeof jti !== 'string' || exp === undefined) throw oauthErrors.invalidClient();
    const seconds = now().getTime() / 1000;
    if (exp > seconds + MAX_LIFETIME_SECONDS) throw oauthErrors.invalidClient();
    if (payload.iat !== undefined && payload.iat > seconds + CLOCK_TOLERANCE_SECONDS) throw oauthErrors.invalidClient();
    const expiresAt = new Date((exp + CLOCK_TOLERANCE_SECONDS) * 1000);
    if (!(await useAssertion(request.tenant.tenantId, client.clientId, digest(jti), expiresAt)))
      throw oauthErrors.invalidClient();
  };
}

/** The client that an unverified assertion speaks of: only to find the keys that verify it. */
export function assertedClientId(assertion: string): string | undefined {
  try {
    const sub: unknown = decodeJwt(assertion).sub;
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

async function verify(
  request: ClientRequest,
  client: Client,
  assertion: string,
  currentDate: Date,
): Promise<JWTPayload> {
  for (const credential of client.privateKeyCredentials ?? []) {
    if (credential.expiresAt && credential.expiresAt <= currentDate) continue;
    try {
      const key = await importJWK({ ...credential.publicJwk, alg: credential.algorithm }, credential.algorithm);
      const { payload } = await jwtVerify(assertion, key, {
        algorithms: [credential.algorithm],
        issuer: client.clientId,
        subject: client.clientId,
        audience: [request.origin, request.askedOrigin].flatMap(namesOf),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate,
      });
      return payload;
    } catch {
      // Another credential may be the one: a client has at most two while its keys rotate.
    }
  }
  throw oauthErrors.invalidClient();
}

/** An assertion names the issuer or one of its endpoints, as clients of ten years do. */
function namesOf(origin: string): string[] {
  return ['/', '/oauth/token', '/oauth/par', '/oauth/introspect', '/oauth/revoke'].map((path) => origin + path);
}
