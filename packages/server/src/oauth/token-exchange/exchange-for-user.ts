import type { Connection } from '../../connections/connection.ts';
import type { Transact } from '../../db/transact.ts';
import { randomAlphanumeric } from '../../kit/ids.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { User } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { replaceScopes, tokenScopesOf } from '../access/replace-scopes.ts';
import type { AccessResolver, Target } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { describeRefreshToken, newRefreshToken } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import type { RunForExchange } from '../token/run-for-exchange.ts';
import { type Exchange, exchangeEvent } from '../token/token-grant.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens, TokenResponse } from '../tokens/user-tokens.ts';

interface Stores {
  readonly users: Pick<UserStore, 'recordLogin'>;
  readonly tokenGrants: TokenGrantStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly access: Pick<AccessResolver, 'forUser'>;
  readonly runForExchange: RunForExchange;
  readonly prepareTokens: PrepareUserTokens;
  readonly now: () => Date;
}

/** Whose tokens a subject token is exchanged for. */
export interface ExchangedFor {
  readonly user: User;
  readonly connection: Connection;
  readonly target: Target;
  /** The execution of the profile's action. */
  readonly executionId: string;
}

/** Tokens of the user whom an action named: this is a login, and rules and post-login actions run as in others. */
export function createExchangeForUser({ transact, access, runForExchange, prepareTokens, now }: Parts) {
  return async function exchangeForUser(
    exchange: Exchange,
    { user: named, connection, target, executionId }: ExchangedFor,
  ): Promise<TokenResponse> {
    const { tenant, origin, client, parameters, possession } = exchange;
    const { tenantId } = tenant;
    const scope = parameters.get('scope') ?? '';
    await access.forUser(tenant, client, named.userId, target, scope);
    const { user, additions } = await runForExchange(exchange, {
      protocol: 'oauth2-token-exchange',
      connection,
      user: named,
      session: undefined,
      target,
      scope,
      loginsCount: named.loginsCount + 1,
      methods: [],
    });
    const granted = replaceScopes(await access.forUser(tenant, client, user.userId, target, scope), additions.scopes);
    const time = now();
    const grantId = randomAlphanumeric(24);
    const refreshToken = granted.offline ? newRefreshToken() : undefined;
    const gty = exchange.grantType;
    const tokens = prepareTokens({
      tenant,
      origin,
      client,
      user,
      access: granted,
      grantId,
      gty,
      now: time,
      possession,
      additions,
      ...(refreshToken && { refreshToken }),
    });
    const stored = refreshToken ? describeRefreshToken(client, refreshToken, grantId, time, possession) : undefined;
    const tokenScope = tokenScopesOf(granted).join(' ');
    const [response] = await Promise.all([
      tokens.sign(),
      transact(async ({ users, tokenGrants, refreshTokens, record }) => {
        if ((await users.recordLogin(tenantId, user, exchange.requester.ip)) === undefined)
          throw oauthErrors.userBlocked();
        await tokenGrants.insert(tenantId, {
          grantId,
          clientId: client.clientId,
          userId: user.userId,
          connectionId: connection.id,
          sessionId: undefined,
          grantType: gty,
          audience: granted.audience,
          scope: granted.scopes.join(' '),
          authTime: time,
          additions,
          expiresAt: grantExpiry(time, stored),
        });
        if (stored) await refreshTokens.insert(tenantId, stored, exchange.requester);
        if (tokens.opaque) await tokenGrants.insertAccessToken(tenantId, tokens.opaque);
        await record(tenantId, {
          ...exchangeEvent(exchange),
          type: 'customTokenExchanged',
          userId: user.userId,
          userName: user.email ?? user.username ?? user.userId,
          connection: connection.name,
          connectionId: connection.id,
          ...(granted.audience && { audience: granted.audience }),
          ...(tokenScope && { scope: tokenScope }),
          details: { actions: { executions: [executionId] } },
        });
      }),
    ]);
    return response;
  };
}

export type ExchangeForUser = ReturnType<typeof createExchangeForUser>;
