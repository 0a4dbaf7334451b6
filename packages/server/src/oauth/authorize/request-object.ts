import { decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import type { Client, PrivateKeyCredential } from '../../clients/client.ts';
import { digest } from '../../kit/digest.ts';
import { authorizeErrors } from './authorize-errors.ts';

interface Parts {
  /** False where the client's `jti` was taken before. */
  readonly takeJti: (tenantId: string, clientId: string, jtiHash: string, expiresAt: Date) => Promise<boolean>;
  readonly now: () => Date;
}

export interface RequestObjectOrigin {
  readonly tenantId: string;
  readonly client: Client;
  /** Our own origin: the issuer that the object must be made for. */
  readonly origin: string;
}

type Values = Readonly<Record<string, string>>;

const LONGEST = 8_192;
const LONGEST_JTI = 64;
const CLOCK_TOLERANCE_SECONDS = 10;
/** FAPI 2.0 Message Signing section 5.3.1 has the same hour. */
const MOST_SECONDS = 3_600;
const TYPES: ReadonlySet<string> = new Set(['jwt', 'oauth-authz-req+jwt']);
/** What a JWT says of itself; the rest are parameters. */
const CLAIMS_OF_JWT: ReadonlySet<string> = new Set(['iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'jti']);

export type ReadRequestObject = ReturnType<typeof createRequestObjectReader>;

/**
 * The parameters of a signed request object (RFC 9101). Key and algorithm are those of the credential that the client
 * registered: an object can't choose them, so neither `none` nor an HMAC over the public key passes (attack A6).
 */
export function createRequestObjectReader({ takeJti, now }: Parts) {
  return async function readRequestObject(jwt: string, { tenantId, client, origin }: RequestObjectOrigin) {
    const credentials = client.requestObject?.credentials ?? [];
    if (credentials.length === 0) throw authorizeErrors.requestNotSupported();
    if (jwt.length > LONGEST) throw invalid('it is too long');
    const { typ, kid } = readHeader(jwt);
    if (typeof typ !== 'string' || !TYPES.has(typ.toLowerCase().replace(/^application\//, '')))
      throw invalid('its typ must be JWT or oauth-authz-req+jwt');
    const candidates = credentials.filter((credential) => kid === undefined || credential.kid === kid);
    const payload = await verify(jwt, candidates, client, origin, now());
    const end = endOf(payload, now());
    const values = toValues(payload, client.clientId);
    if (payload.jti !== undefined && !(await takeJti(tenantId, client.clientId, digest(`request ${payload.jti}`), end)))
      throw invalid('it was used before');
    return values;
  };
}

const invalid = (reason: string) => authorizeErrors.invalidRequestObject({ reason });

function readHeader(jwt: string): { typ?: unknown; kid?: unknown } {
  try {
    return decodeProtectedHeader(jwt);
  } catch {
    throw invalid('it is no JWT');
  }
}

async function verify(
  jwt: string,
  credentials: readonly PrivateKeyCredential[],
  client: Client,
  origin: string,
  currentDate: Date,
): Promise<JWTPayload> {
  for (const { publicJwk, algorithm, expiresAt } of credentials) {
    if (expiresAt && expiresAt <= currentDate) continue;
    try {
      const key = await importJWK({ ...publicJwk, alg: algorithm }, algorithm);
      const { payload } = await jwtVerify(jwt, key, {
        algorithms: [algorithm],
        issuer: client.clientId,
        audience: `${origin}/`,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate,
      });
      return payload;
    } catch {
      // Another credential may be the one: a client has two while its keys rotate.
    }
  }
  throw invalid('its signature, issuer, audience or time is wrong');
}

/** Until when an object that somebody saw can be sent again: `exp`, and an hour after it was made at the latest. */
function endOf({ exp = Infinity, nbf, iat }: JWTPayload, now: Date): Date {
  const seconds = now.getTime() / 1000;
  const end = Math.min(exp, (nbf ?? iat ?? Infinity) + MOST_SECONDS);
  if (end > seconds + MOST_SECONDS + CLOCK_TOLERANCE_SECONDS)
    throw invalid('it must end within an hour, by exp or after nbf or iat');
  if (end <= seconds - CLOCK_TOLERANCE_SECONDS) throw invalid('it is older than an hour');
  return new Date((end + CLOCK_TOLERANCE_SECONDS) * 1000);
}

function toValues(payload: JWTPayload, clientId: string): Values {
  if (payload.client_id !== clientId) throw invalid('its client_id is not the one of the request');
  // RFC 9101 section 4: an object contains no other one; section 10.8: a client assertion is none.
  if ('request' in payload || 'request_uri' in payload) throw invalid('it contains another request');
  if (payload.sub === clientId) throw invalid('it is a client assertion');
  if (payload.jti !== undefined && (typeof payload.jti !== 'string' || payload.jti.length > LONGEST_JTI))
    throw invalid('its jti must be a string of at most 64 characters');
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(payload)) {
    if (CLAIMS_OF_JWT.has(name) || value === null || value === undefined) continue;
    values[name] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  if (!Object.values(values).every((value) => value.isWellFormed() && !value.includes('\0')))
    throw invalid('it is malformed');
  return values;
}
