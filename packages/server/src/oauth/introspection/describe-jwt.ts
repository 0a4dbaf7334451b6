import { decodeJwt, jwtVerify } from 'jose';
import type { ClientGrant } from '../../client-grants/client-grant.ts';
import type { Client } from '../../clients/client.ts';
import type { VerifyJwt } from '../../keys/verify-jwt.ts';
import { textOf, textsOf } from '../../kit/json-values.ts';
import type { ResourceServer } from '../../resource-servers/resource-server.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { type User, userNameOf } from '../../users/user.ts';
import { readConfirmation, tokenTypeOf } from '../possession/possession.ts';
import { grantIdOf } from '../tokens/access-token.ts';
import type { Introspection, TokenDescription } from './describe-token.ts';

interface Parts {
  readonly verifyJwt: VerifyJwt;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
  readonly findResourceServer: (tenant: Tenant, audience: string) => Promise<ResourceServer | undefined>;
  readonly findClientGrant: (
    tenantId: string,
    clientId: string,
    resourceServerId: string,
    subjectType: 'client' | 'user',
  ) => Promise<ClientGrant | undefined>;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly isGrantAlive: (tenantId: string, grantId: string) => Promise<boolean>;
  readonly now: () => Date;
}

type Claims = Readonly<Record<string, unknown>>;
export type DescribeJwt = ReturnType<typeof createJwtDescriber>;

const CLIENT_SUBJECT = '@clients';
const MOST_AUDIENCES = 10;

/** A JWT access token: signed by this tenant, in time, for an API that there is, and of somebody who may still act. */
export function createJwtDescriber(parts: Parts) {
  async function describeJwt({ tenant, client, token }: Introspection): Promise<TokenDescription | undefined> {
    const api = await findApi(tenant, unverifiedAudiences(token));
    const claims = api && (await verify(tenant, api, token));
    if (!claims || !parts.isIssuer(tenant, textOf(claims.iss) ?? '')) return undefined;
    const clientId = textOf(claims.azp) ?? textOf(claims.client_id) ?? '';
    if (!(await mayAsk(tenant, client, api, clientId))) return undefined;
    const owner = await findLivingOwner(tenant, api, clientId, claims);
    const confirmation = readConfirmation(claims.cnf);
    if (!owner || confirmation === false) return undefined;
    const { iss, sub, aud, scope, exp, iat, jti, permissions, act } = claims;
    return {
      iss,
      sub,
      ...(typeof owner === 'object' && { username: userNameOf(owner) }),
      aud,
      client_id: clientId,
      ...(scope !== undefined && { scope }),
      ...(act !== undefined && { act }),
      ...(permissions !== undefined && { permissions }),
      exp,
      iat,
      jti,
      token_type: tokenTypeOf(confirmation),
      ...(confirmation && { cnf: confirmation }),
    };
  }

  /** The one API among the audiences; /userinfo is none. An ID token's audience is a client, which is none either. */
  async function findApi(tenant: Tenant, audiences: readonly string[]): Promise<ResourceServer | undefined> {
    for (const audience of audiences.slice(0, MOST_AUDIENCES)) {
      const api = await parts.findResourceServer(tenant, audience);
      if (api) return api;
    }
    return undefined;
  }

  async function verify(tenant: Tenant, api: ResourceServer, token: string): Promise<Claims | undefined> {
    if (api.signingAlg !== 'HS256') {
      const result = await parts.verifyJwt(tenant.tenantId, token);
      return result.valid ? result.claims : undefined;
    }
    if (api.signingSecret === undefined) return undefined;
    try {
      const options = { algorithms: ['HS256'], currentDate: parts.now(), requiredClaims: ['exp'] };
      return (await jwtVerify(token, Buffer.from(api.signingSecret), options)).payload;
    } catch {
      return undefined;
    }
  }

  /** Whoever got the token; who is the API; who may call it as a machine. The Management API has no such callers. */
  async function mayAsk(tenant: Tenant, client: Client, api: ResourceServer, clientId: string): Promise<boolean> {
    if (client.clientId === clientId) return true;
    if (api.isSystem) return false;
    if (textOf(client.body.resource_server_identifier) === api.identifier) return true;
    return (await parts.findClientGrant(tenant.tenantId, client.clientId, api.id, 'client')) !== undefined;
  }

  /** The user, or true for a machine; undefined where the token ended before its time. */
  async function findLivingOwner(
    tenant: Tenant,
    api: ResourceServer,
    clientId: string,
    { sub, jti }: Claims,
  ): Promise<User | true | undefined> {
    const { tenantId } = tenant;
    if (typeof sub !== 'string' || !(await parts.findClient(tenantId, clientId))) return undefined;
    if (sub === clientId + CLIENT_SUBJECT) {
      const isFree = api.clientPolicy === 'allow_all';
      return isFree || (await parts.findClientGrant(tenantId, clientId, api.id, 'client')) ? true : undefined;
    }
    const grantId = grantIdOf(jti);
    if (grantId !== undefined && !(await parts.isGrantAlive(tenantId, grantId))) return undefined;
    const user = await parts.findUser(tenantId, sub);
    return user?.blocked ? undefined : user;
  }

  return describeJwt;
}

/** Only to find the API whose secret may have signed it. */
function unverifiedAudiences(token: string): readonly string[] {
  try {
    const { aud } = decodeJwt(token);
    return typeof aud === 'string' ? [aud] : textsOf(aud);
  } catch {
    return [];
  }
}
