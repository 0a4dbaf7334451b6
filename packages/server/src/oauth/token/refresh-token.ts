import { type Connection, isOpenTo } from '../../connections/connection.ts';
import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { parseScope } from '../access/scope.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { isConfirmedBy } from '../possession/possession.ts';
import { describeSuccessor, idleExpiry, isExpired, isWithinLeeway, successorOf } from '../refresh/refresh-token.ts';
import type { PresentedRefreshToken, RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import { grantExpiry, isWorthExtending } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import { asRecorded, type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Stores {
  readonly tokenGrants: TokenGrantStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly stores: Pick<Stores, 'refreshTokens'>;
  readonly access: AccessResolver;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  /** The tenant's key that successors are derived with. */
  readonly successorKey: (tenantId: string) => Promise<Uint8Array>;
  readonly prepareTokens: PrepareUserTokens;
  readonly now: () => Date;
}

/** refresh_token (RFC 6749 section 6, RFC 9700 section 4.14): authentication-api section 3.4 and decision 0004. */
export function refreshTokenGrant(parts: Parts): Grant {
  const { transact, stores, access, prepareTokens, now } = parts;

  async function exchange(exchange: Exchange) {
    const { tenant, origin, client, parameters } = exchange;
    const presented = parameters.require('refresh_token');
    const time = now();
    const token = await stores.refreshTokens.find(tenant.tenantId, digest(presented));
    if (!token || token.grant.clientId !== client.clientId || isExpired(token, time))
      throw oauthErrors.invalidRefreshToken();
    checkHolder(exchange, token);
    const user = await findLivingUser(exchange, token);
    if (token.rotatedAt && !isWithinLeeway(token, client, time)) await refuseReuse(exchange, token, time);

    const scope = narrow(token.grant.scope, parameters.get('scope'));
    const target = await access.grantedTarget(tenant, token.grant.audience, (audience) =>
      oauthErrors.serviceNotFound({ audience }),
    );
    const granted = await access.forUser(tenant, client, user.userId, target, scope);
    const rotates = client.refreshToken.rotationType === 'rotating' || token.rotating;
    const successor = rotates ? successorOf(await parts.successorKey(tenant.tenantId), presented) : undefined;
    const tokens = prepareTokens({
      tenant,
      origin,
      client,
      user,
      access: granted,
      grantId: token.grantId,
      gty: token.grant.grantType === 'code' ? 'refresh_token' : ['refresh_token', token.grant.grantType],
      now: time,
      possession: exchange.possession,
      authTime: token.grant.authTime,
      ...(token.grant.sessionId && { sessionId: token.grant.sessionId }),
      ...(successor && { refreshToken: successor }),
    });
    const event: AuditEvent = {
      ...eventOf(exchange, user),
      type: 'refreshExchanged',
      ...(granted.audience && { audience: granted.audience }),
      scope: granted.scopes.join(' '),
      details: { token_id: token.tokenId, ...(token.grant.sessionId && { session_id: token.grant.sessionId }) },
    };
    const [response, isReused] = await Promise.all([
      tokens.sign(),
      transact(async (inside) => {
        if (successor ? !(await rotate(inside, exchange, token, successor, time)) : false) return true;
        if (!successor) await prolong(inside, exchange, token, time);
        if (tokens.opaque) await inside.tokenGrants.insertAccessToken(tenant.tenantId, tokens.opaque);
        await inside.record(tenant.tenantId, event);
        return false;
      }),
    ]);
    if (isReused) await refuseReuse(exchange, token, time);
    return response;
  }

  /** T3: the account, the connection or the grant may have ended since the token was issued. */
  async function findLivingUser({ tenant, client }: Exchange, token: PresentedRefreshToken): Promise<User> {
    const user = await parts.findUser(tenant.tenantId, token.grant.userId);
    if (!user) throw oauthErrors.refreshUserGone();
    if (token.grant.isRevoked) throw oauthErrors.invalidRefreshToken();
    if (user.blocked) throw oauthErrors.refreshUserBlocked();
    const connection = await parts.findConnection(tenant.tenantId, token.grant.connectionId);
    if (!connection || !isOpenTo(connection, client)) throw oauthErrors.invalidRefreshToken();
    return user;
  }

  /** One racer marks the token and stores the successor; the others find both done and hand out the same one. */
  async function rotate(
    inside: Stores,
    { tenant, client, requester }: Exchange,
    token: PresentedRefreshToken,
    successor: string,
    time: Date,
  ): Promise<boolean> {
    const described = describeSuccessor(client, successor, token, time);
    if (await inside.refreshTokens.rotate(tenant.tenantId, token.tokenHash, described, time, requester)) {
      await keepGrant(inside, tenant, token, grantExpiry(time, described));
      return true;
    }
    const current = await inside.refreshTokens.find(tenant.tenantId, token.tokenHash);
    const next = await inside.refreshTokens.find(tenant.tenantId, digest(successor));
    // Only the immediately previous token may come again: a successor that rotated itself was in somebody's hands.
    return (
      current !== undefined &&
      isWithinLeeway(current, client, time) &&
      next !== undefined &&
      !next.rotatedAt &&
      !next.grant.isRevoked
    );
  }

  /** A token that does not rotate idles from now on; its grant has to last as long as it. */
  async function prolong(
    inside: Stores,
    { tenant, client, requester }: Exchange,
    { tokenHash, expiresAt, ...token }: PresentedRefreshToken,
    time: Date,
  ): Promise<void> {
    const idleExpiresAt = idleExpiry(client, time);
    await inside.refreshTokens.touch(tenant.tenantId, tokenHash, time, idleExpiresAt, requester);
    await keepGrant(inside, tenant, token, grantExpiry(time, { expiresAt, idleExpiresAt }));
  }

  async function keepGrant(
    { tokenGrants }: Stores,
    { tenantId }: Tenant,
    { grantId, grant }: Pick<PresentedRefreshToken, 'grantId' | 'grant'>,
    expiry: Date,
  ): Promise<void> {
    if (isWorthExtending(grant.expiresAt, expiry)) await tokenGrants.extend(tenantId, grantId, expiry);
  }

  /** Somebody presents a token that was replaced: one of two holders is a thief, so both lose the family (RFC 9700 section 4.14.2). */
  async function refuseReuse(exchange: Exchange, token: PresentedRefreshToken, time: Date): Promise<never> {
    const error = asRecorded(oauthErrors.refreshTokenReused());
    await transact(async ({ tokenGrants, record }) => {
      await tokenGrants.revoke(exchange.tenant.tenantId, token.grantId, time);
      await record(exchange.tenant.tenantId, {
        ...exchangeEvent(exchange),
        type: 'refreshTokenReused',
        userId: token.grant.userId,
        description: error.message,
        details: { token_id: token.tokenId, family_id: token.grantId },
      });
    });
    throw error;
  }

  return { grantTypes: ['refresh_token'], failed: 'refreshExchangeFailed', exchange };
}

function eventOf(exchange: Exchange, user: User): Omit<AuditEvent, 'type'> {
  return { ...exchangeEvent(exchange), userId: user.userId, userName: user.email ?? user.username ?? user.userId };
}

/** RFC 9449 section 5: before a reuse is looked for, so that a thief without the key ends nobody's session. */
function checkHolder({ possession }: Exchange, { confirmation }: PresentedRefreshToken): void {
  if (confirmation === undefined || isConfirmedBy(confirmation, possession)) return;
  throw possession.jkt === undefined ? oauthErrors.proofRequired() : oauthErrors.boundToOtherKey();
}

/** A refresh may ask for less than was granted, never for more (RFC 6749 section 6). */
function narrow(granted: string, asked: string | undefined): string {
  const wanted = parseScope(asked);
  return wanted.length === 0
    ? granted
    : parseScope(granted)
        .filter((scope) => wanted.includes(scope))
        .join(' ');
}
