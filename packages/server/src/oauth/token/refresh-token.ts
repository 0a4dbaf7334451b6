import { isDeepStrictEqual } from 'node:util';
import { type Connection, isOpenTo } from '../../connections/connection.ts';
import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import { executionDetails } from '../../pipeline/execution-details.ts';
import type { SessionFacts } from '../../pipeline/login-facts.ts';
import { type Additions, type ClaimAdditions, NOTHING_ADDED } from '../../pipeline/outcome.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { type User, userNameOf } from '../../users/user.ts';
import { replaceScopes, tokenScopesOf } from '../access/replace-scopes.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { parseScope } from '../access/scope.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { isConfirmedBy } from '../possession/possession.ts';
import type { AdoptGrant } from '../refresh/adopt-grant.ts';
import {
  describeSuccessor,
  isExpired,
  isWithinLeeway,
  prolongedExpiry,
  type RefreshTokenWishes,
  successorOf,
} from '../refresh/refresh-token.ts';
import type { PresentedRefreshToken, RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import type { Rotate, Rotation } from '../refresh/rotate-together.ts';
import { grantExpiry, isWorthExtending } from '../tokens/grant-expiry.ts';
import { storedAdditions } from '../tokens/stored-additions.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import type { RunForExchange } from './run-for-exchange.ts';
import { asRecorded, type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Stores {
  readonly tokenGrants: TokenGrantStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly rotate: Rotate;
  readonly stores: Pick<Stores, 'refreshTokens'>;
  readonly access: AccessResolver;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  /** The tenant's key that successors are derived with. */
  readonly successorKey: (tenantId: string) => Promise<Uint8Array>;
  readonly runForExchange: RunForExchange;
  /** Hands over the grant of a user whom tenant code has linked. */
  readonly adoptGrant: AdoptGrant;
  readonly prepareTokens: PrepareUserTokens;
  readonly now: () => Date;
}

/** What is stored with the token itself. */
type Issued = Pick<Rotation, 'accessToken' | 'event' | 'additions'> & {
  readonly wishes: RefreshTokenWishes | undefined;
};

/** refresh_token (RFC 6749 section 6, RFC 9700 section 4.14): authentication-api section 3.4 and decision 0004. */
export function refreshTokenGrant(parts: Parts): Grant {
  const { transact, stores, access, runForExchange, prepareTokens, now } = parts;

  async function exchange(exchange: Exchange) {
    const { tenant, origin, client, parameters } = exchange;
    const presented = parameters.require('refresh_token');
    const time = now();
    const token = await stores.refreshTokens.find(tenant.tenantId, digest(presented));
    if (!token || token.grant.clientId !== client.clientId || isExpired(token, time))
      throw oauthErrors.invalidRefreshToken();
    checkHolder(exchange, token);
    const { user: known, connection } = await findLivingUser(exchange, token);
    if (token.rotatedAt && !isWithinLeeway(token, client, time)) await refuseReuse(exchange, token, known, time);

    const scope = narrow(token.grant.scope, parameters.get('scope'));
    const target = await access.grantedTarget(tenant, token.grant.audience, (audience) =>
      oauthErrors.serviceNotFound({ audience }),
    );
    // Before tenant code runs: it is not asked about what the client may not have.
    const asked = await access.forUser(tenant, client, known.userId, target, scope);
    const {
      user,
      additions: added,
      hasWaited,
    } = await runForExchange(exchange, {
      protocol: 'oauth2-refresh-token',
      connection,
      user: known,
      session: sessionOf(token),
      target,
      scope,
      loginsCount: known.loginsCount,
      refreshToken: { tokenId: token.tokenId, grantId: token.grantId },
    });
    const { refreshToken: wishes, ...additions } = added;
    const isLinked = user.userId !== known.userId;
    const allowed = isLinked ? await access.forUser(tenant, client, user.userId, target, scope) : asked;
    if (isLinked) await parts.adoptGrant(tenant.tenantId, client, token.grant, { user, access: allowed });
    // What ended the grant while tenant code ran comes first. Of two refreshes at once one has handed it over.
    if (hasWaited && !(await isAlive(exchange, token, user))) throw oauthErrors.invalidRefreshToken();
    const granted = replaceScopes(allowed, additions.scopes);
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
      additions,
      authTime: token.grant.authTime,
      ...(token.grant.sessionId && { sessionId: token.grant.sessionId }),
      ...(successor && { refreshToken: successor }),
    });
    const event: AuditEvent = {
      ...eventOf(exchange, user),
      type: 'refreshExchanged',
      ...(granted.audience && { audience: granted.audience }),
      scope: tokenScopesOf(granted).join(' '),
      details: {
        token_id: token.tokenId,
        ...(token.grant.sessionId && { session_id: token.grant.sessionId }),
        ...executionDetails(additions.executions),
      },
    };
    const issued: Issued = { accessToken: tokens.opaque, event, wishes, ...changedAdditions(token, additions) };
    const [response, isIssued] = await Promise.all([
      tokens.sign(),
      successor ? rotate(exchange, token, successor, issued, time) : prolong(exchange, token, issued, time),
    ]);
    if (!isIssued) await refuseReuse(exchange, token, known, time);
    return response;
  }

  /** T3: the account, the connection or the grant may have ended since the token was issued. */
  async function findLivingUser({ tenant, client }: Exchange, token: PresentedRefreshToken) {
    const user = await parts.findUser(tenant.tenantId, token.grant.userId);
    if (!user) throw oauthErrors.refreshUserGone();
    if (token.grant.isRevoked) throw oauthErrors.invalidRefreshToken();
    if (user.blocked) throw oauthErrors.refreshUserBlocked();
    const connection = await parts.findConnection(tenant.tenantId, token.grant.connectionId);
    if (!connection || !isOpenTo(connection, client)) throw oauthErrors.invalidRefreshToken();
    return { user, connection };
  }

  async function isAlive(
    { tenant }: Exchange,
    { tokenHash }: PresentedRefreshToken,
    { userId }: User,
  ): Promise<boolean> {
    const current = await stores.refreshTokens.find(tenant.tenantId, tokenHash);
    return current !== undefined && !current.grant.isRevoked && current.grant.userId === userId;
  }

  /** One racer marks the token and stores the successor; the others find both done and hand out the same one. */
  async function rotate(
    exchange: Exchange,
    token: PresentedRefreshToken,
    successor: string,
    issued: Issued,
    time: Date,
  ): Promise<boolean> {
    const { tenantId } = exchange.tenant;
    const { wishes, ...written } = issued;
    const described = describeSuccessor(exchange.client, successor, token, time, wishes);
    const isFirst =
      token.rotatedAt === undefined &&
      (await parts.rotate({
        ...written,
        metadata: wishes?.metadata,
        tenantId,
        tokenHash: token.tokenHash,
        successor: described,
        use: exchange.requester,
        grantExpiresAt: longerExpiry(token, grantExpiry(time, described)),
        now: time,
      }));
    return isFirst || transact((inside) => repeat(inside, exchange, token, described.tokenHash, issued, time));
  }

  /** Only the immediately previous token may come again: a successor that rotated itself was in somebody's hands. */
  async function repeat(
    inside: Stores,
    { tenant, client }: Exchange,
    token: PresentedRefreshToken,
    successorHash: string,
    issued: Issued,
    time: Date,
  ): Promise<boolean> {
    const current = await inside.refreshTokens.find(tenant.tenantId, token.tokenHash);
    const next = await inside.refreshTokens.find(tenant.tenantId, successorHash);
    if (!current || !isWithinLeeway(current, client, time)) return false;
    if (!next || next.rotatedAt || next.grant.isRevoked) return false;
    await store(inside, tenant, token.grantId, issued);
    return true;
  }

  /** A token that does not rotate idles from now on; its grant has to last as long as it. */
  async function prolong(
    { tenant, client, requester }: Exchange,
    token: PresentedRefreshToken,
    issued: Issued,
    time: Date,
  ): Promise<boolean> {
    const { wishes } = issued;
    const expiry = prolongedExpiry(client, token, time, wishes);
    const grantExpiresAt = longerExpiry(token, grantExpiry(time, expiry));
    // Without a wish the end stays as another request may have set it meanwhile.
    const { idleExpiresAt } = expiry;
    const changed = wishes?.expiresAt === undefined ? { idleExpiresAt } : expiry;
    return transact(async (inside) => {
      const { tenantId } = tenant;
      await inside.refreshTokens.touch(tenantId, token.tokenHash, time, changed, requester, wishes?.metadata);
      if (grantExpiresAt) await inside.tokenGrants.extend(tenantId, token.grantId, grantExpiresAt);
      await store(inside, tenant, token.grantId, issued);
      return true;
    });
  }

  async function store(
    { tokenGrants, record }: Stores,
    { tenantId }: Tenant,
    grantId: string,
    issued: Issued,
  ): Promise<void> {
    if (issued.additions) await tokenGrants.setAdditions(tenantId, grantId, issued.additions);
    if (issued.accessToken) await tokenGrants.insertAccessToken(tenantId, issued.accessToken);
    await record(tenantId, issued.event);
  }

  /** Somebody presents a token that was replaced: one of two holders is a thief, so both lose the family (RFC 9700 section 4.14.2). */
  async function refuseReuse(exchange: Exchange, token: PresentedRefreshToken, user: User, time: Date): Promise<never> {
    const error = asRecorded(oauthErrors.refreshTokenReused());
    await transact(async ({ tokenGrants, record }) => {
      await tokenGrants.revoke(exchange.tenant.tenantId, token.grantId, time);
      await record(exchange.tenant.tenantId, {
        ...eventOf(exchange, user),
        type: 'refreshTokenReused',
        description: error.message,
        details: { token_id: token.tokenId, family_id: token.grantId },
      });
    });
    throw error;
  }

  return { grantTypes: ['refresh_token'], failed: 'refreshExchangeFailed', exchange };
}

function eventOf(exchange: Exchange, user: User): Omit<AuditEvent, 'type'> {
  return { ...exchangeEvent(exchange), userId: user.userId, userName: userNameOf(user) };
}

/** What tenant code adds from now on, where it is not what it added before. */
function changedAdditions({ grant }: PresentedRefreshToken, additions: Additions): Pick<Rotation, 'additions'> {
  const changed = ofAnyExecution(additions);
  return isDeepStrictEqual(changed ?? {}, ofAnyExecution(grant.additions) ?? {})
    ? {}
    : { additions: changed ?? NOTHING_ADDED };
}

/** What ran is another one each time: its own event tells it. */
function ofAnyExecution(additions: ClaimAdditions | undefined): ClaimAdditions | undefined {
  const { executions: _ran, ...rest } = additions ?? {};
  return storedAdditions(rest);
}

function sessionOf({ grant }: PresentedRefreshToken): SessionFacts | undefined {
  const { sessionId, authTime } = grant;
  return sessionId === undefined ? undefined : { sessionId, authenticatedAt: authTime, isSingleSignOn: false };
}

/** The later expiry that a grant needs; undefined where its own will do. */
function longerExpiry({ grant }: Pick<PresentedRefreshToken, 'grant'>, expiry: Date): Date | undefined {
  return isWorthExtending(grant.expiresAt, expiry) ? expiry : undefined;
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
