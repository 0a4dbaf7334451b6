import type { Connection } from '../../connections/connection.ts';
import type { Transact } from '../../db/transact.ts';
import { randomAlphanumeric } from '../../kit/ids.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import { executionDetails } from '../../pipeline/execution-details.ts';
import type { LoginFacts } from '../../pipeline/login-facts.ts';
import type { Executions } from '../../pipeline/outcome.ts';
import type { JoinedAccountStore } from '../../sessions/joined-account-store.ts';
import type { User } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { replaceScopes, tokenScopesOf } from '../access/replace-scopes.ts';
import type { AccessResolver, UserAccess } from '../access/resolve-access.ts';
import { describeRefreshToken, newRefreshToken } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import type { KeepStores, KeepUser } from '../token-exchange/plan-user.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens, TokenResponse } from '../tokens/user-tokens.ts';
import type { RunForExchange } from './run-for-exchange.ts';
import type { Exchange } from './token-grant.ts';

interface Stores {
  readonly users: KeepStores['users'] & Pick<UserStore, 'recordLogin'>;
  readonly identities: KeepStores['identities'];
  readonly joinedAccounts: Pick<JoinedAccountStore, 'isGood'>;
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

/** A user whom the token endpoint knows by now, and what is asked for. */
export interface BackchannelLogin extends Pick<LoginFacts, 'protocol' | 'target' | 'scope' | 'tokenExchange'> {
  readonly methods: NonNullable<LoginFacts['methods']>;
  readonly connection: Connection;
  readonly user: User;
  /** `gty` of the tokens, and the type of their token grant. */
  readonly gty: string;
  /** Makes or changes the user, in the transaction of the tokens: what refuses them refuses this as well. */
  readonly keep?: KeepUser;
  /** Of actions that ran before those of the login. */
  readonly executions?: readonly string[];
  /** The event of this login, about whom it ended with: tenant code may have linked the user to another one. */
  readonly event: (user: User) => AuditEvent;
  /** What the caller is told where the user ended, or was blocked, meanwhile. */
  readonly ended: () => Error;
}

/** A login without a browser: rules and post-login actions run, it is counted, and its tokens are the answer. */
export function createBackchannelLogin({ transact, access, runForExchange, prepareTokens, now }: Parts) {
  return async function logIn(exchange: Exchange, login: BackchannelLogin): Promise<TokenResponse> {
    const { tenant, origin, client, possession, requester } = exchange;
    const { tenantId } = tenant;
    const { connection, protocol, target, scope, methods, gty, tokenExchange } = login;
    // Before tenant code runs: it is not asked about what the client may not have.
    await access.forUser(tenant, client, login.user.userId, target, scope);
    const { user, additions: added } = await runForExchange(exchange, {
      protocol,
      connection,
      user: login.user,
      session: undefined,
      target,
      scope,
      loginsCount: login.user.loginsCount + 1,
      methods,
      ...(tokenExchange && { tokenExchange }),
    });
    const actor = tokenExchange?.actor;
    const additions = actor ? { ...added, actor } : added;
    const allowed = await access.forUser(tenant, client, user.userId, target, scope);
    const granted = replaceScopes(actor ? withoutRefresh(allowed) : allowed, additions.scopes);
    const time = now();
    const grantId = randomAlphanumeric(24);
    const refreshToken = granted.offline ? newRefreshToken() : undefined;
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
    const wishes = additions.refreshToken;
    const stored = refreshToken
      ? describeRefreshToken(client, refreshToken, grantId, time, possession, wishes)
      : undefined;
    const tokenScope = tokenScopesOf(granted).join(' ');
    const [response] = await Promise.all([
      tokens.sign(),
      transact(async (stores) => {
        const { users, joinedAccounts, tokenGrants, refreshTokens, record } = stores;
        await login.keep?.(stores, additions);
        if ((await users.recordLogin(tenantId, user, requester.ip)) === undefined) throw login.ended();
        // Linked by tenant code: a new password or a block from before that must not be lost with the account.
        const isLinked = user.userId !== login.user.userId;
        if (isLinked && !(await joinedAccounts.isGood(tenantId, login.user, user.userId))) throw login.ended();
        // Also for a JWT alone: its jti names the grant, so that introspection tells when it has ended.
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
        if (stored) await refreshTokens.insert(tenantId, stored, requester, wishes?.metadata);
        if (tokens.opaque) await tokenGrants.insertAccessToken(tenantId, tokens.opaque);
        const event = login.event(user);
        const ran = executionDetails(withActions(login.executions, additions.executions));
        await record(tenantId, {
          ...event,
          ...(Object.keys(ran).length > 0 && { details: { ...event.details, ...ran } }),
          ...(granted.audience && { audience: granted.audience }),
          ...(tokenScope && { scope: tokenScope }),
        });
      }),
    ]);
    return response;
  };
}

function withActions(before: readonly string[] = [], { actions = [], ...others }: Executions = {}): Executions {
  const all = [...before, ...actions];
  return { ...others, ...(all.length > 0 && { actions: all }) };
}

/** Who acts for somebody else comes back with both tokens each time. */
function withoutRefresh(access: UserAccess): UserAccess {
  return { ...access, offline: false, scopes: access.scopes.filter((scope) => scope !== 'offline_access') };
}

export type LogInByBackchannel = ReturnType<typeof createBackchannelLogin>;
