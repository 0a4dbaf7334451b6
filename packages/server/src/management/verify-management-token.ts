import {
  type CryptoKey,
  decodeProtectedHeader,
  errors,
  type JWK,
  type JWTPayload,
  jwtVerify,
  type KeyObject,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { Tenant } from '../tenants/tenant.ts';
import type { Actor } from './call.ts';
import { managementErrors, unauthorized } from './management-errors.ts';

type VerificationKey = CryptoKey | KeyObject | JWK;

interface Parts {
  readonly keys: {
    /** The public key of this tenant with that id; undefined for an unknown or revoked one. */
    verificationKey(tenantId: string, kid: string): Promise<VerificationKey | undefined>;
  };
  /** Whether an origin is, or was, one of the tenant's: a token keeps the issuer that it was made with. */
  readonly isTenantOrigin: (tenant: Tenant, origin: string) => boolean;
  /** Whether an audience names the tenant's system API: `<any of its origins>/api/v2/`. */
  readonly isManagementAudience: (tenant: Tenant, audience: string) => boolean;
  readonly now: () => Date;
}

export type VerifyAccessToken = (tenant: Tenant, token: string) => Promise<Actor>;

const MAX_TOKEN = 16_384;
const MAX_REMEMBERED = 4_096;
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
const CLIENT_SUBJECT = '@clients';

/**
 * Verifies an access token for the Management API. The key comes from the tenant by `kid` and from nowhere else: `jwk`, `jku` and
 * `x5u` of the header are never followed (RFC 8725 section 3.10), and the algorithm is RS256, whatever the header says.
 */
export function createManagementTokenVerifier({
  keys,
  isTenantOrigin,
  isManagementAudience,
  now,
}: Parts): VerifyAccessToken {
  const remembered = new LRUCache<string, Verified>({ max: 1_000 });

  return async (tenant, token) => {
    const place = `${tenant.tenantId} ${token}`;
    const known = token.length <= MAX_REMEMBERED ? remembered.get(place) : undefined;
    const kid = known ? known.kid : kidOf(token);
    const key = kid === undefined ? undefined : await keys.verificationKey(tenant.tenantId, kid);
    if (kid === undefined || key === undefined) throw unauthorized('invalid');
    // A signature that was right stays right: what may change (the key's state, the time, the origins) is checked each time.
    const claims = known ? known.claims : await verify(token, key, now());
    if (!known && token.length <= MAX_REMEMBERED) remembered.set(place, { kid, claims });
    checkTime(claims, now());
    if (typeof claims.iss !== 'string' || !claims.iss.endsWith('/')) throw unauthorized('invalid');
    if (!isTenantOrigin(tenant, claims.iss.slice(0, -1))) throw unauthorized('invalid');
    const audiences = [claims.aud ?? []].flat();
    if (!audiences.some((audience) => isManagementAudience(tenant, audience))) {
      throw unauthorized('badAudience', { audience: audiences.join(',').slice(0, 300) });
    }
    return actorOf(claims);
  };
}

interface Verified {
  readonly kid: string;
  readonly claims: JWTPayload;
}

function checkForm(token: string): void {
  if (token.length > MAX_TOKEN) throw unauthorized('invalid');
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw managementErrors.badAuthenticationFormat();
}

function kidOf(token: string): string | undefined {
  checkForm(token);
  try {
    const { alg, kid, typ, crit } = decodeProtectedHeader(token);
    const isOurs = alg === 'RS256' && crit === undefined && typeof typ === 'string' && TYPES.has(typ.toLowerCase());
    return isOurs && typeof kid === 'string' && kid.length <= 128 ? kid : undefined;
  } catch {
    return undefined;
  }
}

async function verify(token: string, key: VerificationKey, currentDate: Date): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['RS256'],
      currentDate,
      requiredClaims: ['exp', 'sub', 'aud'],
    });
    return payload;
  } catch (cause) {
    throw unauthorized(cause instanceof errors.JWTExpired ? 'expired' : 'invalid', {}, cause);
  }
}

function checkTime({ exp = 0, nbf = 0 }: JWTPayload, now: Date): void {
  const seconds = now.getTime() / 1000;
  if (exp <= seconds) throw unauthorized('expired');
  if (nbf > seconds) throw unauthorized('invalid');
}

function actorOf(claims: JWTPayload): Actor {
  const { sub = '', azp, client_id, scope, jti } = claims;
  const isClient = sub.endsWith(CLIENT_SUBJECT);
  const clientId = [azp, client_id, isClient ? sub.slice(0, -CLIENT_SUBJECT.length) : undefined].find(isText);
  if (clientId === undefined) throw unauthorized('invalid');
  const permissions = Array.isArray(claims.permissions) ? claims.permissions.filter(isText) : [];
  const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
  return {
    clientId,
    ...(!isClient && { userId: sub }),
    scopes: new Set([...scopes, ...permissions]),
    ...(isText(jti) && { jti }),
    ...(claims.cnf !== undefined && { cnf: claims.cnf }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
