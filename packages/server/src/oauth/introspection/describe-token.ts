import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import { digest } from '../../kit/digest.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { type User, userNameOf } from '../../users/user.ts';
import { tokenTypeOf } from '../possession/possession.ts';
import { isExpired } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import type { AccessTokenFinder } from '../tokens/find-access-tokens.ts';
import type { DescribeJwt } from './describe-jwt.ts';

export interface Introspection {
  readonly tenant: Tenant;
  readonly origin: string;
  /** Who asks. */
  readonly client: Client;
  readonly token: string;
}

/** Members of the answer beside `active` (RFC 7662 section 2.2). */
export type TokenDescription = Readonly<Record<string, unknown>>;
export type DescribeToken = ReturnType<typeof createTokenDescriber>;

interface Parts {
  readonly describeJwt: DescribeJwt;
  readonly refreshTokens: Pick<RefreshTokenStore, 'find'>;
  readonly findAccessToken: AccessTokenFinder['findAccessToken'];
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly now: () => Date;
}

/** Undefined for a token that is not good now, and for one that is none of the asker's business: they look alike. */
export function createTokenDescriber(parts: Parts) {
  const { refreshTokens, findAccessToken, findUser, findConnection, now } = parts;

  async function describeToken(asked: Introspection): Promise<TokenDescription | undefined> {
    if (asked.token.split('.').length === 3) return parts.describeJwt(asked);
    return (await describeOpaque(asked)) ?? describeRefreshToken(asked);
  }

  /** For /userinfo alone: no API takes it, so that only the client that it was issued to has anything to ask. */
  async function describeOpaque({ tenant, origin, client, token }: Introspection) {
    const found = await findAccessToken(tenant.tenantId, digest(token), now());
    if (!found || found.clientId !== client.clientId) return undefined;
    const user = await findLivingUser(tenant, found.userId);
    if (!user) return undefined;
    return {
      iss: `${origin}/`,
      sub: user.userId,
      username: userNameOf(user),
      aud: `${origin}/userinfo`,
      client_id: client.clientId,
      ...(found.scope && { scope: found.scope }),
      exp: seconds(found.expiresAt),
      token_type: tokenTypeOf(found.confirmation),
      ...(found.confirmation && { cnf: found.confirmation }),
    };
  }

  /** One that was rotated is none any more, though it may pass once more within the leeway. */
  async function describeRefreshToken({ tenant, origin, client, token }: Introspection) {
    const found = await refreshTokens.find(tenant.tenantId, digest(token));
    if (!found || found.grant.clientId !== client.clientId) return undefined;
    if (found.rotatedAt || found.grant.isRevoked || isExpired(found, now())) return undefined;
    const user = await findLivingUser(tenant, found.grant.userId);
    if (!user) return undefined;
    const connection = await findConnection(tenant.tenantId, found.grant.connectionId);
    if (!connection?.enabledClients.includes(client.clientId)) return undefined;
    const ends = [found.expiresAt, found.idleExpiresAt].flatMap((end) => (end ? [seconds(end)] : []));
    return {
      iss: `${origin}/`,
      sub: user.userId,
      username: userNameOf(user),
      ...(found.grant.audience !== undefined && { aud: found.grant.audience }),
      client_id: client.clientId,
      ...(found.grant.scope && { scope: found.grant.scope }),
      ...(ends.length > 0 && { exp: Math.min(...ends) }),
      ...(found.confirmation && { cnf: found.confirmation }),
    };
  }

  async function findLivingUser({ tenantId }: Tenant, userId: string): Promise<User | undefined> {
    const user = await findUser(tenantId, userId);
    return user?.blocked ? undefined : user;
  }

  return describeToken;
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
